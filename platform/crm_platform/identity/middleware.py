"""Who is asking: one query for the session, its person, role, team and configuration version."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from crm_platform.identity.decorators import ask_for_second_factor
from crm_platform.identity.services import second_factor, sessions
from crm_platform.identity.visitor import VISITOR
from crm_platform.kernel import tenancy

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class SignedInPerson:
    """Sets `request.user` (a `User`, or `VISITOR`) and `request.session_row` (or None).

    A browser without our cookie costs no query; a cookie that opens nothing is taken away.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.user, request.session_row = VISITOR, None  # type: ignore[assignment,attr-defined]
        secret = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        if secret and tenancy.current_or_none() is not None:
            _recognise(request, secret)
        response = self.get_response(request)
        name = settings.SESSION_COOKIE_NAME
        if secret and request.session_row is None and name not in response.cookies:  # type: ignore[attr-defined]
            forget_cookie(response)
        return response


class SecondFactorFirst:
    """Where a second factor is required, a browser without it sees only the page that asks for it.

    Reads `request.session_row`; makes no query.
    """

    OPEN = ("identity:second_factor", "identity:sign_out", "identity:prefs")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Called by Django once the address is known; an answer keeps the view from running."""
        session = getattr(request, "session_row", None)
        if session is None or session.second_factor_at is not None:
            return None
        match = request.resolver_match
        name = match.view_name if match else ""
        is_here = getattr(request, "urlconf", "") == settings.OPERATORS_URLCONF
        if not (is_here and second_factor.is_required()):
            return None
        if name in self.OPEN or name.startswith("ui:"):
            return None
        return ask_for_second_factor(request)


def _recognise(request: HttpRequest, secret: str) -> None:
    at = timezone.now()
    session = sessions.live_session(secret, at=at)
    if session is None:
        return
    request.user, request.session_row = session.user, session  # type: ignore[attr-defined]
    sessions.touch(session, at=at)


def keep_cookie(response: HttpResponseBase, secret: str) -> None:
    """Give the browser its session: this host only, out of reach of scripts."""
    response.set_cookie(
        settings.SESSION_COOKIE_NAME, secret, max_age=int(sessions.LONGEST.total_seconds()),
        path="/", domain=None, secure=settings.SESSION_COOKIE_SECURE, httponly=True,
        samesite="Lax",
    )  # fmt: skip


def forget_cookie(response: HttpResponseBase) -> None:
    """Take the session's cookie away."""
    response.set_cookie(
        settings.SESSION_COOKIE_NAME, "", max_age=0, path="/", domain=None,
        secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax",
    )  # fmt: skip
