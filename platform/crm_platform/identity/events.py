"""What identity tells the topics above it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any


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
