"""The only code that writes history."""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from crm_core.audit.models import Entry
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy

CHANNEL = "channel"


def use_channel(name: str) -> None:
    """Say by which way in this unit of work came: page, api, import, task or shell."""
    tenancy.unit_facts()[CHANNEL] = name


def record(
    *,
    actor: User | None,
    verb: str,
    at: dt.datetime,
    on: Any = None,
    on_type: str = "",
    changes: dict[str, Any] | None = None,
    batch: UUID | None = None,
) -> Entry:
    """Add one entry about `on` (any row with a name), or about the company as a whole."""
    return Entry.objects.create(
        **_facts(
            actor=actor, verb=verb, at=at, on=on, on_type=on_type, changes=changes, batch=batch
        )
    )


def record_many(
    *,
    actor: User | None,
    verb: str,
    at: dt.datetime,
    on_type: str,
    entries: Iterable[tuple[Any, dict[str, Any]]],
    batch: UUID | None = None,
) -> None:
    """Add one entry each for `(row, changes)`. One statement."""
    Entry.objects.bulk_create(
        Entry(
            **_facts(
                actor=actor, verb=verb, at=at, on=row, on_type=on_type, changes=changes, batch=batch
            )
        )
        for row, changes in entries
    )


def _facts(**given: Any) -> dict[str, Any]:
    on, actor = given["on"], given["actor"]
    return {
        "at": given["at"],
        "actor_id": actor.pk if actor else None,
        "verb": given["verb"],
        "record_type": given["on_type"] or (on._meta.model_name if on is not None else ""),
        "record_id": on.pk if on is not None else None,
        "title": str(getattr(on, "name", "") or "")[:200],
        "changes": given["changes"] or {},
        "channel": tenancy.unit_facts().get(CHANNEL, "page"),
        "batch": given["batch"],
    }
