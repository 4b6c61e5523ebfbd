"""What identity tells the topics above it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChanged:
    """A person, role, team, invitation or token changed; history keeps it.

    `verb` is `role.edited`; `subject` the kind (`role`); `changes` `{field: [old, new]}`.
    """

    verb: str
    subject: str
    subject_id: int | None
    title: str
    actor_id: int | None
    at: dt.datetime
    changes: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonDeactivated:
    """Somebody left: records, tasks and decisions of `user_id` pass to `successor_id`."""

    user_id: int
    successor_id: int | None
    actor_id: int | None
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class SupportChanged:
    """A company granted, refused or ended a support visit; the operators' side follows.

    `key` is the visit's on both sides, `by` the name of whoever decided; empty: time ended it.
    """

    key: UUID
    state: str
    may_write: bool
    until: dt.datetime | None
    by: str
    at: dt.datetime
