"""Who is asking: one query for the session, its person, role, team and configuration version."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from crm_platform.identity.services import sessions
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
