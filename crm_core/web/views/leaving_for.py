"""Going to a page of the payment service: a card, a bill. Ours only hands over."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from crm_core.web.settings_nav import settings_nav
from crm_platform.kernel import tenancy


def address_of_page(request: HttpRequest) -> str:
    """The whole address of the billing page, to come back to."""
    return request.build_absolute_uri(reverse("web:billing"))


def leave(request: HttpRequest, address: str, *, is_unpaid: bool = False) -> HttpResponse:
    """A page that goes on to `address` by itself.

    Not a redirect: after a form the browser follows none to another host (the policy's
    form-action).
    """
    with tenancy.unit_of_work(tenancy.current_company()):
        context = {"address": address, "is_unpaid": is_unpaid,
                   "settings_nav": settings_nav(request, "billing")}  # fmt: skip
        return render(request, "web/billing_leave.html", context)
