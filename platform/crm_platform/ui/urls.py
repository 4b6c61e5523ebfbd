"""Addresses of the design system; included at the root, because a worker's scope is its folder."""

from django.urls import path

from crm_platform.ui import views

app_name = "ui"
urlpatterns = [
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("sw.js", views.service_worker, name="sw"),
    path("offline/", views.offline, name="offline"),
    path("speculation.json", views.speculation, name="speculation"),
    path("t/theme.css", views.theme_css, name="theme"),
    path("prefs/", views.prefs, name="prefs"),
]
