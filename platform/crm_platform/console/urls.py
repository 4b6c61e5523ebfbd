"""Addresses of the operators' console."""

from django.urls import path

from crm_platform.console import views

app_name = "console"
urlpatterns = [
    path("", views.companies, name="companies"),
    path("companies/<uuid:company_id>/", views.company, name="company"),
    path("companies/<uuid:company_id>/retry/", views.retry, name="retry"),
    path("companies/<uuid:company_id>/suspend/", views.suspend, name="suspend"),
    path("companies/<uuid:company_id>/resume/", views.resume, name="resume"),
    path("mail/", views.mails, name="mails"),
    path("mail/<int:pk>/", views.mail, name="mail"),
]
