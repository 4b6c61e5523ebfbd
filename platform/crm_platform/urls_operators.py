"""Addresses of the operators' host: their own sign-in and the console."""

from django.urls import include, path

from crm_platform.identity.urls import entry_patterns, me_patterns, second_factor_patterns

urlpatterns = [
    path("", include("crm_platform.ui.urls")),
    path("", include(([*entry_patterns, *second_factor_patterns, *me_patterns], "identity"))),
    path("", include("crm_platform.console.urls")),
]
