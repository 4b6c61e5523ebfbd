from django.apps import AppConfig
from django.conf import settings

from crm_platform.ops import sentry


class OpsConfig(AppConfig):
    name = "crm_platform.ops"
    label = "ops"

    def ready(self) -> None:
        """Report errors from the first request on, if the environment names a place for them."""
        environment = getattr(settings, "ENVIRONMENT", None)
        if environment is not None and environment.sentry_dsn:
            sentry.start(environment.sentry_dsn, place=environment.name)
