"""One door for every refusal of the API: a problem document (RFC 9457), never a page."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.http import Http404, UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from crm_platform.kernel.errors import DomainError, Invalid, NotAllowed, TooMany

logger = logging.getLogger("rapport.api")
MEDIA_TYPE = "application/problem+json"
TOO_MANY = 429
TYPE_ADDRESS = "/api/v1/docs/#problem-"


class Malformed(DomainError):
    """The request cannot be read at all."""

    code, status = "malformed", 400


class ReadOnlyKey(NotAllowed):
    """The key was made for reading only."""

    code = "read_only_key"


class Stale(DomainError):
    """`If-Match` names a version the record has left behind."""

    code, status = "stale", 412


class PreconditionRequired(DomainError):
    """A change must say which version it was made for."""

    code, status = "precondition_required", 428


class TooManyRequests(TooMany):
    """Asked too often; `headers` say how often is allowed, and when to ask again."""

    def __init__(self, message: str, *, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.headers = {**headers, "Retry-After": headers["RateLimit-Reset"]}


class CsrfRefused(exceptions.PermissionDenied):
    """A page's session without the page's CSRF token."""


class WrongFields(Invalid):
    """Several fields are refused at once; `errors` are pairs of field and sentence."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__(errors[0][1], field=errors[0][0])
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a problem document says; `errors` are pairs of field and sentence."""

    status: int
    code: str
    detail: str
    errors: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def titles() -> dict[int, str]:
    """The title of each status, in the reader's language."""
    return {
        400: _("The request cannot be read"),
        401: _("Sign in, or send a key"),
        402: _("Your plan does not include this"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("This address does not take this method"),
        409: _("This cannot be done now"),
        410: _("Moved"),
        412: _("Somebody else was faster"),
        413: _("The request is too large"),
        415: _("Send JSON"),
        422: _("This cannot be stored as it is"),
        428: _("Say which version you change"),
        429: _("Too many requests"),
        500: _("Our mistake"),
    }


def codes() -> list[tuple[str, int]]:
    """Every code a problem document may carry, with its status; for the documentation."""
    return [
        ("malformed", 400), ("not_signed_in", 401), ("plan_limit", 402), ("not_allowed", 403),
        ("read_only_key", 403), ("read_only", 403), ("suspended", 403), ("closed", 403),
        ("csrf", 403), ("not_found", 404), ("method_not_allowed", 405), ("moved", 410),
        ("refused", 409), ("conflict", 409), ("stale", 412), ("too_large", 413),
        ("unsupported_media_type", 415), ("invalid", 422), ("precondition_required", 428),
        ("too_many", 429), ("failed", 500),
    ]  # fmt: skip


def problem_of(error: Exception) -> Problem | None:
    """What is said of an error; None: it is a bug of ours."""
    if isinstance(error, WrongFields):
        return Problem(error.status, error.code, str(error), error.errors)
    if isinstance(error, DomainError):
        named = ((error.field, str(error)),) if error.field else ()
        headers = error.headers if isinstance(error, TooManyRequests) else {}
        return Problem(error.status, error.code, str(error), named, headers)
    if isinstance(error, Http404):
        return Problem(404, "not_found", _("There is nothing at this address."))
    if isinstance(error, PermissionDenied):
        return Problem(403, "not_allowed", str(error) or titles()[403])
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return _of_input(error)


def _of_framework(error: exceptions.APIException) -> Problem:
    by_status = {
        400: "malformed", 401: "not_signed_in", 403: "not_allowed", 404: "not_found",
        405: "method_not_allowed", 415: "unsupported_media_type", 429: "too_many",
    }  # fmt: skip
    status = error.status_code
    code = "csrf" if isinstance(error, CsrfRefused) else by_status.get(status, "refused")
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    if challenge := getattr(error, "auth_header", ""):
        headers["WWW-Authenticate"] = challenge
    detail = str(error.detail) if status != TOO_MANY else _("Ask a little less often.")
    return Problem(status, code, detail, headers=headers)


def _of_input(error: Exception) -> Problem | None:
    """Input that reached Django or the database before anything of ours refused it."""
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "too_large", titles()[413])
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return Problem(400, "malformed", titles()[400])
    if isinstance(error, ValidationError | DataError | IntegrityError):
        logger.warning("api input refused by the database", exc_info=error)
        return Problem(422, "invalid", _("A value does not fit its field."))
    return None


def document(found: Problem) -> dict[str, Any]:
    """The problem document itself."""
    return {
        "type": f"{TYPE_ADDRESS}{found.code}",
        "title": titles().get(found.status, ""),
        "status": found.status,
        "code": found.code,
        "detail": found.detail,
        "errors": [{"field": name, "detail": text} for name, text in found.errors],
    }


def problem(error: Exception, context: dict[str, Any]) -> Response:
    """Answer what a view of the API raised; the framework's one exception handler."""
    found = problem_of(error)
    if found is None:
        logger.error("api request failed", exc_info=error)
        number = getattr(context["request"], "request_id", "")
        found = Problem(500, "failed", _("We are told of it. Request %(id)s.") % {"id": number})
    if isinstance(error, DatabaseError) and connection.in_atomic_block:
        transaction.set_rollback(True)
    response = Response(document(found), found.status, content_type=MEDIA_TYPE)
    for name, value in found.headers.items():
        response[name] = value
    return response
