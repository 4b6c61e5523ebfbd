"""Addresses of the package."""

from django.urls import path

from crm_core.leaving import views

app_name = "leaving"
urlpatterns = [
    path("settings/package/", views.package, name="package"),
    path("settings/package/<int:package_id>/progress/", views.progress, name="progress"),
    path("settings/package/<int:package_id>/remove/", views.remove, name="remove"),
    path("settings/package/download/<str:link>/", views.download, name="download"),
]
