"""Settings of the tests: the same, on servers and folders of their own."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ["RAPPORT_ENV"] = "embedded"
# Test processes side by side (pytest -n 2) have servers of their own each.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if WORKER or "RAPPORT_DATA" not in os.environ:
    os.environ["RAPPORT_DATA"] = str(ROOT / ".data" / f"test{WORKER}")

from crm_platform.settings import *  # noqa: E402

TEST_DATABASE = os.environ.get("RAPPORT_TEST_DATABASE", "rapport_test")
DATABASES["default"]["NAME"] = TEST_DATABASE
DATABASES["owner"]["NAME"] = TEST_DATABASE
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
BASE_DOMAIN = "testserver"
PUBLIC_HOST = BASE_DOMAIN
STATIC_ROOT = str(ROOT / ".data" / "test" / "static")
OPERATORS_HOST = f"operators.{BASE_DOMAIN}"
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_BROKER_URL = "memory://"
