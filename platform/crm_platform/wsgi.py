"""The web server's way in."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")

from crm_platform.celery import app as celery_app  # noqa: E402

application = get_wsgi_application()
celery_app.set_default()
