"""A refusal that no form took becomes an answer of its own: a toast for htmx, a page otherwise."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from crm_platform.kernel.errors import DomainError
from crm_platform.ui.answers import is_htmx
from crm_platform.ui.toast import toast

ICONS = {403: "lock", 404: "search-x", 429: "hourglass"}


class Refusals:
    """Answers a `DomainError` that a view let go, with its sentence and its status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django with what a view raised; None leaves it to others."""
        if not isinstance(error, DomainError):
            return None
        if is_htmx(request):
            return toast(HttpResponse(status=error.status), str(error), kind="bad")
        context = {
            "error_icon": ICONS.get(error.status, "circle-alert"),
            "error_title": _title_of(error.status),
            "error_text": str(error),
        }
        return render(request, "ui/refusal.html", context, status=error.status)


def _title_of(status: int) -> str:
    titles = {
        403: _("Not allowed"),
        404: _("This page is not here"),
        429: _("A little slower, please"),
    }
    return titles.get(status) or _("This cannot be done")
