"""Which database an app's tables are made in: always the owner's, in the schema it works in."""

from typing import Any

from django.conf import settings

from crm_platform.kernel.db.owner.base import target_schema
from crm_platform.kernel.tenancy import PLATFORM_SCHEMA


def labels(apps: list[str]) -> set[str]:
    """App labels of dotted app names."""
    return {name.rpartition(".")[2] for name in apps}


class Router:
    """Serving goes through `default`; DDL through `owner`, each schema with its own apps."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """SHARED_APPS in the platform's schema, TENANT_APPS in a company's, nothing elsewhere."""
        schema = target_schema()
        if db != "owner" or not schema:
            return False
        apps = settings.SHARED_APPS if schema == PLATFORM_SCHEMA else settings.TENANT_APPS
        return app_label in labels(apps)
