"""What a view asks for before it runs."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from crm_platform.identity.models import User, is_person
from crm_platform.identity.rules import demand_ability
from crm_platform.ui.answers import is_htmx

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def safe_next(text: str | None, default: str = "/") -> str:
    """`text` if it is a path of this host, else `default`."""
    if not text or not text.startswith("/") or not text.isprintable():
        return default
    return text if url_has_allowed_host_and_scheme(text, allowed_hosts=None) else default


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send the visitor to the sign-in page, and back here afterwards."""
    return _ask_first(request, "identity:sign_in")


def ask_for_second_factor(request: HttpRequest) -> HttpResponse:
    """Send somebody who signed in on to the second step, and back here afterwards."""
    return _ask_first(request, "identity:second_factor")


def _ask_first(request: HttpRequest, name: str) -> HttpResponse:
    asks_page = request.method in ("GET", "HEAD") and not is_htmx(request)
    back = request.get_full_path() if asks_page else request.headers.get("HX-Current-URL", "")
    if not asks_page and back:
        back = back.partition("://")[2].partition("/")[2]
        back = f"/{back}"
    address = reverse(name)
    if safe_next(back) != "/":
        address = f"{address}?{urlencode({'next': safe_next(back)})}"
    if is_htmx(request):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = address
        return response
    return redirect(address)


def sign_in_required(view: V) -> V:
    """Run `view` for people who signed in; others are asked to, and come back."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_person(request.user):
            return ask_to_sign_in(request)
        return view(request, *args, **kwargs)

    return cast(V, guarded)


def ability_required(ability: str) -> Callable[[V], V]:
    """Run a view only for people whose role has `ability`; others get the refusal's page."""

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            demand_ability(cast(User, request.user), ability)
            return view(request, *args, **kwargs)

        return sign_in_required(cast(V, guarded))

    return decorate
