"""Addresses of a company's own host."""

from django.urls import include, path

urlpatterns = [
    path("", include("crm_platform.ui.urls")),
    path("", include("crm_platform.identity.urls")),
    path("", include("crm_core.exchange.urls")),
    path("", include("crm_core.leaving.urls")),
    path("", include("crm_core.sales.urls")),
    path("", include("crm_core.activities.urls")),
    path("", include("crm_core.fields.urls")),
    path("", include("crm_core.web.urls")),
    path("api/v1/", include("api.v1.urls")),
]
