"""The OpenAPI document: addresses built once a process and language, schemas for each reader.

drf-spectacular walks views that share one inspector, which breaks when two threads do it at once
(security M19); so one thread builds, under a lock, and only what is the same for everybody.
"""

import threading
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import ApiView, demand_no_query
from api.v1.components import components
from api.v1.described import answers
from crm_platform.identity.models import User

_lock = threading.Lock()
_built: dict[str, dict[str, Any]] = {}


class _BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "api.auth.TokenAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "rap_…"}


class _SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "api.auth.PageSession"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def document_for(user: User) -> dict[str, Any]:
    """The whole document as `user` may use the API."""
    base = _common(get_language() or settings.LANGUAGE_CODE)
    schemes = base.get("components", {}).get("securitySchemes", {})
    return {**base, "components": {"schemas": components(user), "securitySchemes": schemes}}


def _common(language: str) -> dict[str, Any]:
    """Addresses and acts in one language; shared, so never changed."""
    found = _built.get(language)
    if found is not None:
        return found
    with _lock:
        if language not in _built:
            _built[language] = _build()
        return _built[language]


def _build() -> dict[str, Any]:
    from django.urls import include, path

    patterns = [path("api/v1/", include("api.v1.urls"))]
    generator: Any = SchemaGenerator(patterns=patterns)  # type: ignore[no-untyped-call]
    made: dict[str, Any] = generator.get_schema(public=True)
    return made


class SchemaView(ApiView):
    """The OpenAPI document."""

    @extend_schema(
        operation_id="read_schema",
        summary=_("This document (OpenAPI 3.1)"),
        tags=["schema"],
        responses=answers(ok={"type": "object"}),
    )
    def get(self, request: Request) -> Response:
        demand_no_query(request)
        return Response(document_for(self.user))
