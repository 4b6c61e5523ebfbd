"""The company's own word about its updates: the platform's rows first, then its history.

Every function opens units of work of its own, one after the other: call it from `afterwards`.
"""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from crm_core.audit import services as audit
from crm_core.web.acting import demand_setter, name_of
from crm_platform.identity.models import User
from crm_platform.kernel import features, tenancy
from crm_platform.kernel.periods import local_date
from tenants import features as register
from tenants.models import Company
from tenants.upgrades import choices


def choose(
    *, goes_early: bool, window_from: int, window_to: int, wait_until: dt.date | None,
    actor: User, at: dt.datetime,
) -> None:  # fmt: skip
    """Choose the turn, the hours and the day of the company's updates.

    Raises:
        NotAllowed: the actor does not set the company up.
        Conflict, Invalid: as `choices.choose`.
    """
    scope = demand_setter(actor)
    found = choices.choose(
        company_id=scope.id, goes_early=goes_early, window_from=window_from, window_to=window_to,
        wait_until=wait_until, actor=name_of(actor), at=at,
    )  # fmt: skip
    if not found:
        return
    with tenancy.unit_of_work(scope), override(scope.language):
        audit.record(
            actor=actor, verb="updates.changed", at=at, on_type="updates",
            changes=_told(found, window_from, window_to),
        )  # fmt: skip


def _told(found: dict[str, list[Any]], window_from: int, window_to: int) -> dict[str, list[str]]:
    """The changes as the history shows them, in the company's language."""
    told: dict[str, list[str]] = {}
    if "ring" in found:
        told["turn"] = [turn_words(ring) for ring in found["ring"]]
    if {"window_from", "window_to"} & set(found):
        starts = found.get("window_from", [window_from] * 2)
        ends = found.get("window_to", [window_to] * 2)
        told["hours"] = [hours_words(*pair) for pair in zip(starts, ends, strict=True)]
    if "upgrade_after" in found:
        told["not_before"] = [
            local_date(dt.datetime.fromisoformat(moment)).isoformat() if moment else ""
            for moment in found["upgrade_after"]
        ]
    return told


def turn_words(ring: str) -> str:
    """When, among all companies, one of this ring has its turn."""
    return {
        Company.Ring.CANARY: _("First of all"), Company.Ring.EARLY: _("Early"),
        Company.Ring.REST: _("With most companies"),
    }[Company.Ring(ring)]  # fmt: skip


def hours_words(start: int, end: int) -> str:
    """Hours of the day, as `20:00-06:00`."""
    return _("At any hour") if start == end else f"{start:02}:00\u2013{end:02}:00"


def hurry(*, actor: User, at: dt.datetime) -> None:
    """Have the update that waits begin now.

    Raises:
        NotAllowed: the actor does not set the company up.
        Conflict: as `choices.hurry`.
    """
    scope = demand_setter(actor)
    run = choices.hurry(company_id=scope.id, actor=name_of(actor), at=at)
    with tenancy.unit_of_work(scope):
        audit.record(
            actor=actor, verb="updates.hurried", at=at, on_type="updates",
            changes={"release": [None, run.release.version]},
        )  # fmt: skip


def switch_feature(*, key: str, on: bool, actor: User, at: dt.datetime) -> None:
    """Switch an optional feature on or off for everybody in the company.

    Raises:
        NotAllowed: the actor does not set the company up.
        NotFound, Conflict: as `tenants.features.switch`.
    """
    scope = demand_setter(actor)
    if not register.switch(company_id=scope.id, key=key, on=on, actor=name_of(actor), at=at):
        return
    with tenancy.unit_of_work(scope), override(scope.language):
        audit.record(
            actor=actor, verb=f"feature.switched_{'on' if on else 'off'}", at=at,
            on_type="feature", changes={"feature": [None, str(features.get(key).title)]},
        )  # fmt: skip
