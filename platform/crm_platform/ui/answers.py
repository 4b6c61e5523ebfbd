"""How a view answers a form: a fragment for htmx, a page or a redirect for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django_htmx.http import trigger_client_event

from crm_platform.kernel.errors import DomainError
from crm_platform.ui.toast import Undo, toast

DIALOG = "dialog-body"


@contextmanager
def refusals_on(form: BaseForm) -> Iterator[None]:
    """Turn a refusal into an error of `form`: on the field it names, else on the whole."""
    try:
        yield
    except DomainError as refusal:
        field = refusal.field if refusal.field in form.fields else None
        form.add_error(field, str(refusal))


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks, and wants a fragment."""
    return request.headers.get("HX-Request") == "true"


def in_dialog(request: HttpRequest) -> bool:
    """Whether the answer goes into the shared dialog."""
    return is_htmx(request) and request.headers.get("HX-Target") == DIALOG


def close_dialog(response: HttpResponse | None = None) -> HttpResponse:
    """Close the dialog the request came from; alone it changes nothing else."""
    return trigger_client_event(response or HttpResponse(status=204), "dialog-close", {})


def visit(url: str) -> HttpResponse:
    """Make htmx go to another page."""
    response = HttpResponse(status=204)
    response["HX-Redirect"] = url
    return response


def reload_page() -> HttpResponse:
    """Make htmx load this page again."""
    response = HttpResponse(status=204)
    response["HX-Refresh"] = "true"
    return response


def _accepted(
    request: HttpRequest, after: str, partial: str, context: dict[str, Any], to: str
) -> HttpResponse:
    if not is_htmx(request):
        return redirect(to)
    if after == "visit":
        return visit(to)
    if after == "reload":
        return reload_page()
    if after == "close":
        return close_dialog()
    return render(request, partial, context)


def answer_form(
    request: HttpRequest,
    form: BaseForm,
    *,
    partial: str,
    then: Any,
    context: dict[str, Any] | None = None,
    page: str = "ui/form_page.html",
    after: Literal["swap", "visit", "reload", "close"] = "swap",
    message: str = "",
    undo: Undo | None = None,
) -> HttpResponse:
    """Answer a posted form.

    With errors: `partial` for htmx or `page` otherwise, status 422. Without: a redirect to `then`
    (URL, name or object with get_absolute_url), or for htmx what `after` says: `swap` the partial,
    `visit` `then`, `reload` the page, `close` the dialog. `message` becomes a toast.
    """
    context = {**(context or {}), "form": form}
    if form.errors:
        template = partial if is_htmx(request) else page
        return render(request, template, {**context, "partial": partial}, status=422)
    response = _accepted(request, after, partial, context, resolve_url(then))
    return toast(response, message, undo=undo) if message else response
