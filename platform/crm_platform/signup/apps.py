from django.apps import AppConfig


class SignupConfig(AppConfig):
    name = "crm_platform.signup"
    default_auto_field = "django.db.models.BigAutoField"
