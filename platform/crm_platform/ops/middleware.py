"""The outermost look at a request: its id, its log line, and the probes of the load balancer."""

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from crm_platform.ops import health, tls
from crm_platform.ops.logging import request_in_hand

logger = logging.getLogger("rapport.request")
SECRET_SEGMENT = re.compile(r"(?<=/)[A-Za-z0-9_:.~-]{32,}(?=/|$)")
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/healthz": health.healthz,
    "/readyz": health.readyz,
    "/internal/tls-allowed": tls.tls_allowed,
}
"""Asked by machines that know us by address, not by a company's host name."""


class RequestLog:
    """Gives each request an id, answers probes whatever the host, logs one line a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path)
        if probe is not None:
            return probe(request)
        request.request_id = _id_of(request)  # type: ignore[attr-defined]  # read by the log
        token, began = request_in_hand.set(request), time.perf_counter()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
            _log(request, response, milliseconds=(time.perf_counter() - began) * 1000)
        finally:
            request_in_hand.reset(token)
        return response


def _id_of(request: HttpRequest) -> str:
    """The proxy's id when it looks like one (it ends up in logs), otherwise our own."""
    said = request.headers.get("X-Request-ID", "")
    return said if ACCEPTED_ID.fullmatch(said) else secrets.token_hex(8)


def _log(request: HttpRequest, response: HttpResponseBase, *, milliseconds: float) -> None:
    # The path without its query, which may carry names or searches, and without one-time secrets.
    path = SECRET_SEGMENT.sub("…", request.path)
    logger.info(
        "%s %s %s %.0f ms",
        request.method,
        path,
        response.status_code,
        milliseconds,
        extra={
            "method": request.method,
            "path": path,
            "host": request.META.get("HTTP_HOST", "")[:255],
            "status": response.status_code,
            "milliseconds": round(milliseconds, 1),
        },
    )
