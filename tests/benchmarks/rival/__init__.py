"""Our own models under django-tenants' own commands: the yardstick of provisioning and upgrades."""
