"""Requests for a company, kept until the mail address is confirmed and the company stands."""

import uuid

from django.db import models


class SignUp(models.Model):
    """One visitor's request. The password is kept as a hash until the owner is made."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company_name = models.CharField(max_length=120)
    slug = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    email = models.EmailField(max_length=254)
    password = models.CharField(max_length=128)
    language = models.CharField(max_length=10)
    time_zone = models.CharField(max_length=60)
    currency = models.CharField(max_length=3)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    company = models.ForeignKey("tenants.Company", on_delete=models.SET_NULL, null=True)
    entered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["email"], name="signup_email")]

    def __str__(self) -> str:
        return f"{self.company_name} ({self.pk})"
