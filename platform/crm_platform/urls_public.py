"""Addresses of the public host: what Rapport is, signing up, and finding one's company."""

from django.urls import include, path

urlpatterns = [
    path("", include("crm_platform.ui.urls")),
    path("", include("crm_platform.signup.urls")),
    path("", include("billing.urls")),
]
