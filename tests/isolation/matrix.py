"""The matrix: who comes, with what, to which address; each function adds to the findings."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from crm_core.registry import Kind, record_types
from crm_platform.kernel import tenancy
from tenants import queries
from tests import factories
from tests.isolation import inputs, ledger, probes
from tests.isolation.addresses import Address
from tests.isolation.companies import Twin
from tests.isolation.probes import Findings, Visitor

REFERENCES = (Kind.LINK, Kind.USER, Kind.TEAM, Kind.TAGS, Kind.CHOICE)


class _Undone(Exception):
    """Takes back what a probe wrote."""


@contextmanager
def undone(scope: tenancy.Scope) -> Iterator[None]:
    """A unit of work that is rolled back; the host is looked up before it begins."""
    if scope.host:
        queries.scope_of_host(scope.host)
    try:
        with tenancy.unit_of_work(scope):
            yield
            raise _Undone
    except _Undone:
        return


def judge(found: Findings, answer: Any, what: str, hidden: Twin) -> None:
    """Count one probe and note what it shows of `hidden`, or that the server broke."""
    found.probes += 1
    found.statuses[answer.status_code] += 1
    leaked = probes.shows(answer, hidden, sent=what)
    if leaked:
        found.crossings.append(f"{what} → {answer.status_code} shows “…{leaked}…”")
    fault = probes.wrongdoing(answer)
    if fault:
        found.faults.append(f"{what} → {fault}")


def foreign_ids_at_home(found: Findings, addresses: list[Address], own: Twin, other: Twin) -> None:
    """One's own session at one's own host, with the other company's ids in the address."""
    values = {**probes.own_values(own), **probes.own_values(other)}
    for address in addresses:
        htmx = {"hx-request": "true"}
        for path in address.paths(values):
            asked = [(method, {}) for method in probes.methods_of(address)] + [("GET", htmx)]
            for method, headers in asked:
                # A new browser each time: some addresses end sessions.
                cookie = factories.session_cookie(own.scope, own.owner)
                visitor = Visitor("own session, foreign ids", own.host, cookie)
                answer = visitor.send(method, path, **headers)
                judge(found, answer, f"{visitor.label}: {method} {path}", other)
                if method == "GET" and address.has_numbers and answer.status_code == 200:
                    found.crossings.append(f"{method} {path} answers 200 for a foreign id")
                if probes.SIGN_IN.match(answer.headers.get("Location", "")) and method == "GET":
                    found.faults.append(f"{method} {path} did not know its own session")
    own.cookie = factories.session_cookie(own.scope, own.owner)


def at_the_other_host(
    found: Findings, addresses: list[Address], visitor: Visitor, values: dict[str, list[Any]],
    hidden: Twin,
) -> None:  # fmt: skip
    """Credentials that are not the host's own: turned away everywhere but at the public pages."""
    for address in addresses:
        for path in address.paths(values):
            for method in probes.methods_of(address):
                answer = visitor.send(method, path)
                what = f"{visitor.label}: {method} {path}"
                judge(found, answer, what, hidden)
                if not (probes.stranger_may(address) or probes.is_turned_away(answer)):
                    found.crossings.append(f"{what} was let in: {answer.status_code}")


def own_things(found: Findings, addresses: list[Address], own: Twin) -> tuple[str, list[str]]:
    """The positive control: everything of one's own is found at home.

    Returns all that was shown, and the addresses that no value of ours reached.
    """
    shown, unreached = [], []
    for address in addresses:
        reached = False
        for path in address.paths(probes.own_values(own)):
            with undone(own.scope):
                answers = [
                    Visitor("control", own.host, own.cookie).send(method, path)
                    for method in probes.methods_of(address)
                ]
            for answer in answers:
                text = probes.text_of(answer)
                found.controls += own.word in text
                shown.append(text)
                fault = probes.wrongdoing(answer)
                if fault:
                    found.faults.append(f"control {path} → {fault}")
            reached = reached or any(a.status_code not in (404, 405) for a in answers)
        if not reached and address.name not in probes.ALWAYS_ABSENT:
            unreached.append(address.route)
    return "\n".join(shown), unreached


def reference_names() -> list[str]:
    """The names of every field, of any kind of record, that names another row."""
    names = [f.name for kind in record_types() for f in kind.fields if f.kind in REFERENCES]
    return list(dict.fromkeys(names))


def plain_names() -> set[str]:
    """The names of facts that name no other row, whatever the kind of record."""
    every = {field.name for kind in record_types() for field in kind.fields}
    return every - set(reference_names())


def injections(found: Findings, addresses: list[Address], own: Twin, other: Twin) -> None:
    """One's own session and addresses, with foreign ids under every name that the views read."""
    strangers = ledger.strangers_query(own.scope.schema, other.first_id, other.first_id + 900_000)
    values = {**probes.own_values(own), "slug:name": [*reference_names(), own.custom_field]}
    for address in addresses:
        if address.is_api:
            continue
        for path in address.paths(values):
            page = Visitor("page", own.host, own.cookie).send("GET", path)
            known = inputs.form_values(page.content.decode()) if _is_html(page) else {}
            for method in probes.methods_of(address):
                bodies = _page_bodies(method, path, known, own, other)
                _inject(found, method, path, bodies, strangers, own, other)


def api_injections(found: Findings, own: Twin, other: Twin) -> None:
    """The same for the API: the names come from its own OpenAPI document."""
    strangers = ledger.strangers_query(own.scope.schema, other.first_id, other.first_id + 900_000)
    document = Visitor("schema", own.host, own.cookie).send("GET", "/api/v1/schema/")
    assert document.status_code == 200, document.content[:300]
    described = inputs.api_bodies(json.loads(document.content))
    assert described, "The OpenAPI document describes no body: nothing of the API was injected."
    for (method, template), names in sorted(described.items()):
        path = re.sub(r"{\w+}", str(own.first_id), template)
        foreign = str(other.first_id)
        plausible = {"name": "Probe", "stage": str(own.first_id)}
        plain = plain_names() & names - {"name"}
        bodies: list[dict[str, Any]] = [{**plausible, **dict.fromkeys(plain, foreign)}]
        for name in sorted(names - plain):
            forms: list[Any] = [foreign, other.first_id, [foreign]]
            forms += [{"type": kind.name, "id": foreign} for kind in record_types()]
            bodies += [{**plausible, name: form} for form in forms]
        _inject(found, method, path, bodies, strangers, own, other)


def _is_html(answer: Any) -> bool:
    return bool(answer.get("Content-Type", "").startswith("text/html")) and not answer.streaming


def _page_bodies(
    method: str, path: str, known: dict[str, str], own: Twin, other: Twin
) -> list[dict[str, Any]]:
    """One body a name that the view reads: a foreign id there, plausible values elsewhere.

    Facts of records that hold plain text or numbers share one body.
    """
    visitor = Visitor("reading", own.host, own.cookie)
    names: set[str] = set()
    body: dict[str, str] = {}
    for _round in range(2):
        with inputs.noting_names() as read, undone(own.scope):
            visitor.send(method, path, body)
        names |= read
        body = inputs.plausible(names, own.first_id, known)
    foreign = str(other.first_id)
    plain = plain_names() & names
    bodies: list[dict[str, Any]] = [{**body, name: foreign} for name in sorted(names - plain)]
    bodies.append({**body, **dict.fromkeys(plain, foreign)})
    bodies += [{"f": f"{name}.is.{foreign}"} for name in reference_names() if "f" in names]
    if len(names) > 1:
        bodies.append(dict.fromkeys(names, foreign))
    return bodies


def _inject(
    found: Findings, method: str, path: str, bodies: list[dict[str, Any]], strangers: str,
    own: Twin, other: Twin,
) -> None:  # fmt: skip
    visitor = Visitor("injection", own.host, own.cookie)
    for body in bodies:
        with undone(own.scope):
            answer = visitor.send(method, path, body, **{"if-match": "*"})
            what = f"injection: {method} {path} {_foreign_part(body, other)}"
            judge(found, answer, what, other)
            if method != "GET" and answer.status_code < 500:
                _look_for_strangers(found, strangers, what)


def _foreign_part(body: dict[str, Any], other: Twin) -> str:
    names = [name for name, value in body.items() if str(other.first_id) in str(value)]
    return f"({', '.join(names[:3])}{' …' if len(names) > 3 else ''})"


def _look_for_strangers(found: Findings, query: str, what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query)
        columns = [name for (name,) in cursor.fetchall()]
    if columns:
        found.crossings.append(f"{what}: a foreign id was kept in {', '.join(columns)}")
