"""Our settings, with django-tenants' backend, router and commands instead of our tenant layer."""

import os
from urllib.parse import unquote, urlsplit

from crm_platform.settings import *

SHARED_APPS = [
    "django_tenants", "django.contrib.contenttypes", "tests.benchmarks.rival",
    *(app for app in SHARED_APPS if app not in TENANT_APPS),
]  # fmt: skip
INSTALLED_APPS = [*SHARED_APPS, "crm_platform.ui", *TENANT_APPS]
TENANT_MODEL, TENANT_DOMAIN_MODEL = "rival.Client", "rival.Domain"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
_where = urlsplit(os.environ["RIVAL_DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend", "NAME": "rival", "USER": _where.username,
        "HOST": unquote(_where.hostname or ""), "CONN_MAX_AGE": 1800,
    }
}  # fmt: skip
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]
ROOT_URLCONF = "tests.benchmarks.small"
ALLOWED_HOSTS = ["*"]
SILENCED_SYSTEM_CHECKS = ["django_tenants.W001", "django_tenants.W003"]
# Nothing of our platform is asked for here, only its models are imported.
MIGRATION_MODULES = dict.fromkeys(
    ("console", "signup", "tenants", "upgrades", "backups", "billing")
)
if os.environ.get("RIVAL_FUTURE"):
    MIGRATION_MODULES["records"] = "tests.benchmarks.additive"
if os.environ.get("RIVAL_CLONES"):
    TENANT_BASE_SCHEMA = "base"
    TENANT_CREATION_FAKES_MIGRATIONS = True
