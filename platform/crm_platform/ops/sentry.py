"""Error reports without anybody's data: only what is on the allow-lists leaves the house."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration

from crm_platform.ops.logging import whereabouts

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

EVENT_FIELDS = frozenset(
    {"event_id", "timestamp", "platform", "level", "logger", "release", "environment"}
    | {"server_name", "sdk", "transaction", "exception", "fingerprint", "tags", "type"}
)
REQUEST_FIELDS = frozenset({"method", "url"})
FRAME_FIELDS = frozenset(
    {"filename", "abs_path", "function", "module", "lineno", "in_app"}
    | {"context_line", "pre_context", "post_context"}
)
EXCEPTION_FIELDS = frozenset({"type", "module", "mechanism"})
MECHANISM_FIELDS = frozenset({"type", "handled"})
TAGS = frozenset({"company", "request_id", "task", "release"})


def start(dsn: str, *, place: str) -> None:
    """Begin to report errors to `dsn`; `place` is the environment's name there."""
    sentry_sdk.init(
        dsn=dsn,
        environment=place,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        auto_session_tracking=False,
        default_integrations=False,
        integrations=[DjangoIntegration(), CeleryIntegration(), LoggingIntegration(level=None)],
        before_send=scrub,
    )


def scrub(event: "Event", _hint: "Hint | None" = None) -> "Event":
    """The event with nothing but what is known to be harmless.

    An exception's message is dropped: PostgreSQL puts the row into it, Django the form's values.
    Its type and the lines of code say where it broke.
    """
    kept: dict[str, Any] = _only(event, EVENT_FIELDS)
    if "request" in event:
        kept["request"] = _request(event["request"])
    if "exception" in kept:
        values = kept["exception"].get("values") or []
        kept["exception"] = {"values": [_exception(value) for value in values]}
    if "tags" in kept:
        kept["tags"] = _only(dict(kept["tags"]), TAGS)
    kept.setdefault("tags", {}).update(_whereabouts())
    return kept  # type: ignore[return-value]  # a TypedDict with fewer of its optional keys


def _request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Method and address, without query, fragment or the names that stand in a path's end."""
    kept = _only(request, REQUEST_FIELDS)
    if "url" in kept:
        kept["url"] = str(kept["url"]).split("?", 1)[0].split("#", 1)[0]
    return kept


def _exception(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = _only(value, EXCEPTION_FIELDS)
    if isinstance(kept.get("mechanism"), dict):
        kept["mechanism"] = _only(kept["mechanism"], MECHANISM_FIELDS)
    frames = (value.get("stacktrace") or {}).get("frames") or []
    kept["stacktrace"] = {"frames": [_only(frame, FRAME_FIELDS) for frame in frames]}
    return kept


def _whereabouts() -> dict[str, str]:
    return {name: value for name, value in whereabouts().items() if value and name in TAGS}


def _only(values: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}
