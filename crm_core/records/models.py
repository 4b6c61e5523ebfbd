"""Customers: the companies and the people we deal with."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from crm_core.registry.models import Record, record_indexes


class Account(Record):
    """A company we sell to, might sell to, or work with."""

    name = models.CharField(max_length=200)
    website = models.CharField(max_length=200, default="", blank=True)
    phone = models.CharField(max_length=40, default="", blank=True)
    email = models.CharField(max_length=254, default="", blank=True)
    industry = models.CharField(max_length=80, default="", blank=True)
    employees = models.PositiveIntegerField(null=True)
    annual_revenue = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    founded_year = models.PositiveSmallIntegerField(null=True)
    street = models.CharField(max_length=200, default="", blank=True)
    city = models.CharField(max_length=80, default="", blank=True)
    region = models.CharField(max_length=80, default="", blank=True)
    postcode = models.CharField(max_length=20, default="", blank=True)
    country = models.CharField(max_length=80, default="", blank=True)
    tax_number = models.CharField(max_length=40, default="", blank=True)
    description = models.TextField(default="", blank=True)
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="subsidiaries", db_index=False
    )

    class Meta:
        indexes = [
            *record_indexes("account"),
            models.Index(Lower("name"), "id", name="account_name", condition=Q(deleted_at=None)),
            models.Index(
                fields=["parent"], name="account_parent", condition=Q(parent__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Contact(Record):
    """A person, mostly at an account."""

    name = models.CharField(max_length=200)
    first_name = models.CharField(max_length=80, default="", blank=True)
    last_name = models.CharField(max_length=80, default="", blank=True)
    account = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, related_name="contacts", db_index=False
    )
    title = models.CharField(max_length=120, default="", blank=True)
    department = models.CharField(max_length=80, default="", blank=True)
    email = models.CharField(max_length=254, default="", blank=True)
    phone = models.CharField(max_length=40, default="", blank=True)
    mobile = models.CharField(max_length=40, default="", blank=True)
    im = models.CharField(max_length=80, default="", blank=True)
    city = models.CharField(max_length=80, default="", blank=True)
    country = models.CharField(max_length=80, default="", blank=True)
    birthday = models.DateField(null=True)
    prefers = models.CharField(max_length=10, default="", blank=True)
    may_contact = models.BooleanField(default=True)
    description = models.TextField(default="", blank=True)

    class Meta:
        indexes = [
            *record_indexes("contact"),
            models.Index(Lower("name"), "id", name="contact_name", condition=Q(deleted_at=None)),
            models.Index(Lower("email"), name="contact_email", condition=~Q(email="")),
            models.Index(fields=["account"], name="contact_account"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"
