"""Who asks: a program with a person's key, or the page a person signed in to."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from api.errors import CsrfRefused, ReadOnlyKey
from crm_platform.identity.models import ApiToken, User, is_person
from crm_platform.identity.services import tokens
from crm_platform.kernel import snapshot

REALM = 'Bearer realm="api"'


def bearer_key(header: str) -> str | None:
    """The key of an `Authorization` header; None when it is of another scheme."""
    scheme, _space, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer rap_…`: acts as the person who made the key, in this company only."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        key = bearer_key(request.headers.get("Authorization", ""))
        if key is None:
            return None
        token = tokens.token_of_key(key, at=timezone.now())
        if token is None:
            raise exceptions.AuthenticationFailed(
                _("This key is not good here: it is wrong, revoked or too old.")
            )
        snapshot.know_version(token.config_version or 1)  # type: ignore[attr-defined]  # annotated
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        refused = "Authorization" in request.headers
        return f'{REALM}, error="invalid_token"' if refused else REALM


class PageSession(BaseAuthentication):
    """The browser's session, for our own pages; a change needs the page's CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        person: Any = request._request.user  # noqa: SLF001  the framework's own idiom
        if not is_person(person):
            return None
        self._enforce_csrf(request)
        return person, None

    def _enforce_csrf(self, request: Request) -> None:
        check: Any = CSRFCheck(_no_response)
        check.process_request(request._request)  # noqa: SLF001
        reason = check.process_view(request._request, None, (), {})  # noqa: SLF001
        if reason:
            raise CsrfRefused(_("This did not come from one of our pages. Reload the page."))


def _no_response(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class SignedIn(BasePermission):
    """A person, or their key; a key for reading changes nothing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not is_person(request.user):
            return False
        token: Any = request.auth
        is_change = request.method not in SAFE_METHODS
        if is_change and isinstance(token, ApiToken) and token.scope != ApiToken.Scope.WRITE:
            raise ReadOnlyKey(_("This key is for reading only. Make one that may write."))
        return True
