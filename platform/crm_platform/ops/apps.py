from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string

from crm_platform.ops import sentry


class OpsConfig(AppConfig):
    name = "crm_platform.ops"
    label = "ops"

    def ready(self) -> None:
        """Choose our Celery application and report errors, in every process from the start."""
        # By name: the application stands above this layer. Without it a command or a test would
        # talk to Celery's default broker.
        import_string("crm_platform.celery.app").set_default()
        environment = getattr(settings, "ENVIRONMENT", None)
        if environment is not None and environment.sentry_dsn:
            sentry.start(environment.sentry_dsn, place=environment.name)
