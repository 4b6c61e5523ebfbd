"""The smallest project that `crm demo` can prepare and serve: its runner is tested on it."""

from crm_platform.ops import environment

ENVIRONMENT = environment.current()
SECRET_KEY = ENVIRONMENT.secret_key
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["tests.ops.stub_project.steps", "django.contrib.staticfiles"]
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
ROOT_URLCONF = "tests.ops.stub_project.urls"
DATABASES = {"default": ENVIRONMENT.database}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
LOCALE_PATHS = []
STATIC_ROOT = str(ENVIRONMENT.static_root)
STATIC_URL = "/static/"
CELERY_BROKER_URL = ENVIRONMENT.celery_broker_url
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
LOGGING_CONFIG = "crm_platform.ops.logging.configure"
LOGGING = {"level": "INFO", "format": "text"}
