"""Probes as ordinary addresses, for `reverse` and the URL lists; the middleware answers first."""

from django.urls import path

from crm_platform.ops import health

app_name = "ops"
urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
