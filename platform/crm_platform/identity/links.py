"""Addresses for mails: built from the register and the settings, never from a request."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from crm_platform.kernel import tenancy


def address_here() -> str:
    """The address of the current scope's host, without a slash at the end."""
    host = tenancy.current().host or settings.OPERATORS_HOST
    return str(settings.ENVIRONMENT.address_of(host))


def link_here(name: str, *args: Any) -> str:
    """A full link to one of our pages in the current scope."""
    operators = tenancy.current().is_platform
    urlconf = settings.OPERATORS_URLCONF if operators else settings.TENANT_URLCONF
    return address_here() + reverse(name, urlconf=urlconf, args=args)
