from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "crm_platform.identity"
    label = "identity"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_platform.identity import history
        from crm_platform.kernel import snapshot

        snapshot.install(read=history.read_version, increase=history.increase_version)
