"""Addresses of the component page; included in tests and DEBUG only."""

from django.urls import path

from crm_platform.ui import views

urlpatterns = [
    path("kit/", views.kit),
    path("kit/<slug:part>/", views.kit),
    path("kit/<int:pk>/<slug:part>/", views.kit),
]
