"""Sending a request as somebody, and judging the answer."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client

from crm_core.registry import record_types
from tests.isolation.addresses import Address
from tests.isolation.companies import Twin

ABSENT_ID = 9_000_001
ABSENT_UUID = "00000000-0000-4000-8000-000000000001"
PUBLIC = {
    "identity:sign_in": "where one signs in",
    "identity:sign_out": "ends a session; without one it goes to the sign-in page",
    "identity:forgot": "asks for a reset link",
    "identity:reset": "a mailed one-time link",
    "identity:accept": "a mailed one-time link",
    "identity:enter": "a one-time link of sign-up",
    "identity:support_enter": "a one-time link of a support visit",
    "identity:prefs": "theme and language cookies",
    "ui:prefs": "theme and language cookies",
    "ui:manifest": "the same for every company",
    "ui:sw": "the same for every company",
    "ui:offline": "the same for every company",
    "ui:speculation": "the same for every company",
    "ui:theme": "a colour",
}
"""Addresses of a company's host that answer a stranger, and why that shows nothing."""
ALWAYS_ABSENT = {
    "api:nothing": "says “no such address” in the API's own form",
    "web:rehearsal_outbox": "only a rehearsal has one; tests/rehearsal looks at it",
}


@dataclass
class Findings:
    """What the probes saw: how many there were, and every one that went wrong, in words."""

    probes: int = 0
    controls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    crossings: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Take over what another one counted."""
        self.probes += other.probes
        self.controls += other.controls
        self.statuses += other.statuses
        self.crossings += other.crossings
        self.faults += other.faults


@dataclass
class Visitor:
    """One way of coming: a host with whatever credentials."""

    label: str
    host: str
    cookie: tuple[str, str] | None = None
    token: str = ""

    def client(self) -> Client:
        client = Client(raise_request_exception=False, headers={"host": self.host})
        if self.cookie:
            client.cookies[self.cookie[0]] = self.cookie[1]
        return client

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> Any:
        """Ask once, in a browser of its own, so that no probe changes the next one's cookies."""
        extra: dict[str, Any] = {"headers": dict(headers)}
        if self.token:
            extra["headers"]["authorization"] = f"Bearer {self.token}"
        client = self.client()
        call = getattr(client, method.lower())
        if method == "GET":
            return call(path, body or {}, **extra)
        if path.startswith("/api/"):
            return call(path, json.dumps(body or {}), content_type="application/json", **extra)
        if method == "POST":
            return call(path, body or {}, **extra)
        return call(path, **extra)


def methods_of(address: Address) -> tuple[str, ...]:
    return ("GET", "POST", "PATCH", "PUT", "DELETE") if address.is_api else ("GET", "POST")


def own_values(twin: Twin) -> dict[str, list[Any]]:
    """What fills an address with a company's own things."""
    return {
        "int": [twin.first_id],
        # One view stands for each kind of record, under whose address alone it is found.
        "int:view_id": [twin.first_id + n for n, _kind in enumerate(record_types())],
        "uuid": [str(twin.scope.id)],
        "str": list(twin.secrets.values()),
        "slug:kind": [kind.name for kind in record_types()],
        "slug:name": ["name", "owner", twin.custom_field],
        "format": ["json"],
        "path": ["canary.csv"],
    }


def absent_values(twin: Twin) -> dict[str, list[Any]]:
    """What names nothing at all."""
    return {
        **own_values(twin), "int": [ABSENT_ID], "int:view_id": [ABSENT_ID],
        "uuid": [ABSENT_UUID], "str": ["x" * 43], "slug:name": ["nothing"], "path": ["nothing"],
    }  # fmt: skip


def text_of(answer: Any) -> str:
    """Body and headers, lower case."""
    parts = b"".join(answer) if getattr(answer, "streaming", False) else answer.content
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    cookies = answer.cookies.output()
    return f"{parts.decode('utf-8', 'replace')}\n{head}\n{cookies}".lower()


def shows(answer: Any, twin: Twin, *, sent: str = "") -> str:
    """What of `twin` an answer holds that was not `sent`; empty for nothing.

    A company's shown name and its host are public.
    """
    text = text_of(answer)
    for secret in (twin.word.lower(), twin.scope.schema, str(twin.scope.id)):
        place = text.find(secret)
        if place >= 0 and secret not in sent:
            return text[max(0, place - 60) : place + 60].replace("\n", " ")
    return ""


def wrongdoing(answer: Any) -> str:
    """A server's fault, in words; empty for none."""
    if answer.status_code < 500:
        return ""
    error = answer.exc_info[1] if getattr(answer, "exc_info", None) else ""
    return f"{answer.status_code} {type(error).__name__}: {error}"[:300]


SIGN_IN = re.compile(r"^/sign-in/(\?|$)")


def is_turned_away(answer: Any) -> bool:
    """Whether a stranger was shown nothing but the door."""
    if answer.status_code in (401, 403, 404, 405):
        return True
    target = answer.headers.get("Location", "") or answer.headers.get("HX-Redirect", "")
    return answer.status_code in (301, 302) and bool(SIGN_IN.match(target))


def stranger_may(address: Address) -> bool:
    return address.name in PUBLIC or address.urlconf == settings.ROOT_URLCONF


def own_values_of_nobody() -> dict[str, list[Any]]:
    """Values for addresses whose door alone is tried."""
    return {
        "int": [ABSENT_ID], "uuid": [ABSENT_UUID], "str": ["x" * 43], "format": ["json"],
        "slug:kind": [kind.name for kind in record_types()], "slug:name": ["name"],
    }  # fmt: skip
