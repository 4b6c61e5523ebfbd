"""Addresses of billing on the public host: what payment providers tell us."""

from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [path("billing/events/stripe/", views.stripe_events, name="stripe_events")]
