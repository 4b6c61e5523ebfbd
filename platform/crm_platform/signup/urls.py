"""Addresses of the public host."""

from django.urls import path

from crm_platform.signup import pricing, views

app_name = "signup"
urlpatterns = [
    path("", views.landing, name="landing"),
    path("pricing/", pricing.prices, name="pricing"),
    path("pricing/own-server/", pricing.own_server, name="own_server"),
    path("sign-in/", views.find, name="find"),
    path("sign-up/", views.sign_up, name="sign_up"),
    path("sign-up/address/", views.check_address, name="check_address"),
    path("sign-up/sent/<uuid:sign_up_id>/", views.sent, name="sent"),
    path("sign-up/sent/<uuid:sign_up_id>/again/", views.send_again, name="send_again"),
    path("sign-up/confirm/<str:token>/", views.confirm, name="confirm"),
    path("sign-up/progress/<str:token>/", views.progress, name="progress"),
]
