"""The only code that writes what operators did."""

import datetime as dt
from typing import Any
from uuid import UUID

from crm_platform.console.guard import REQUEST_ID
from crm_platform.console.models import OperatorEntry
from crm_platform.identity.events import ConfigChanged
from crm_platform.identity.models import User
from crm_platform.kernel import events, tenancy


def record(
    *,
    actor: User | None,
    verb: str,
    at: dt.datetime,
    object_type: str = "",
    object_id: Any = "",
    title: str = "",
    company_id: UUID | None = None,
    facts: dict[str, Any] | None = None,
    reason: str = "",
) -> OperatorEntry:
    """Add one entry, in the transaction of what it tells of; the platform's unit of work."""
    return record_of(
        actor_id=actor.pk if actor else None, actor_name=actor.name if actor else "", verb=verb,
        at=at, object_type=object_type, object_id=object_id, title=title, company_id=company_id,
        facts=facts, reason=reason, request_id=str(tenancy.unit_facts().get(REQUEST_ID, "")),
    )  # fmt: skip


def record_of(*, object_id: Any, facts: dict[str, Any] | None, **given: Any) -> OperatorEntry:
    """`record`, where the operator is known by id and name alone (from inside a company)."""
    for name, longest in (("title", 200), ("reason", 300), ("request_id", 64)):
        given[name] = str(given[name])[:longest]
    return OperatorEntry.objects.create(object_id=str(object_id)[:40], facts=facts or {}, **given)


def write_config_change(event: ConfigChanged) -> None:
    """Keep what identity tells of operators: invited, placed, signed in with the second factor."""
    if not tenancy.current().is_platform:
        return
    actor = User.objects.filter(pk=event.actor_id).first() if event.actor_id else None
    record(
        actor=actor, verb=event.verb, at=event.at, object_type=event.subject,
        object_id=event.subject_id or "", title=event.title, facts=event.changes,
    )  # fmt: skip


def subscribe() -> None:
    events.subscribe(ConfigChanged, write_config_change, when=events.Moment.NOW)
