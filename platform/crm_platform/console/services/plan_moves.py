"""Moving companies to another version of their plan.

One operator looks what it would mean and asks, another agrees; any of them takes it back.
"""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import catalogue, moving
from billing.models import PlanMove, PlanVersion
from crm_platform.console import acts, rules
from crm_platform.console.models import Approval, CompanyFacts
from crm_platform.console.services import approvals, audit
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.limits import ENTITLEMENTS
from tenants.queries import limits_in_force

ACT = "move_plan"


def offer_act() -> None:
    """Called once, when the apps are loaded."""
    acts.offer(
        acts.Act(
            ACT, gettext_lazy("Move to another version of the plan"),
            gettext_lazy("Their price changes with a renewal, after their owners were told."),
            _agree, is_whole=True, drop=lambda *, subject, at: moving.drop(move_id=subject),
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looked:
    """One company in the dry run; `conflicts` are (kind, used, new limit), all above."""

    row: moving.Row
    conflicts: tuple[tuple[str, int, int], ...]


def dry_run(
    *, source: PlanVersion, target: PlanVersion, holds_from: dt.datetime, at: dt.datetime
) -> list[Looked]:
    """What it would mean for each company: who would be above a new limit first. Four queries."""
    rows = moving.dry_run(source=source, target=target, holds_from=holds_from)
    ids = [row.subscription.account.company_id for row in rows]
    used = dict(CompanyFacts.objects.filter(pk__in=ids).values_list("pk", "usage"))
    own: dict[object, dict[str, int]] = {}
    for each in limits_in_force(at).filter(company_id__in=ids):
        own.setdefault(each.company_id, {})[each.kind] = each.value
    found = []
    for row in rows:
        key = row.subscription.account.company_id
        limits = {**settings.COMPANY_LIMITS, **target.entitlements, **own.get(key, {})}
        has = used.get(key, {})
        above = tuple(
            (kind.value, has[kind.value], limits[kind.value]) for kind in ENTITLEMENTS
            if kind.value in limits and has.get(kind.value, 0) > limits[kind.value]
        )  # fmt: skip
        found.append(Looked(row, above))
    return sorted(found, key=lambda each: (not each.conflicts, not each.row.note))


def confirmation_of(count: int) -> str:
    """What must be typed."""
    return _("move %(count)d") % {"count": count}


@transaction.atomic
def ask(
    *, source_id: int, target_id: int, holds_from: dt.datetime, reason: str, typed: str,
    actor: User, at: dt.datetime,
) -> Approval:  # fmt: skip
    """Ask for a move; another platform operator has a day to agree.

    Raises:
        NotAllowed: the actor is no platform operator.
        NotFound: there is no such version.
        Invalid: as `billing.moving.propose`, or `typed` is not what `confirmation_of` says.
    """
    rules.demand(actor, "approvals.ask")
    move = moving.propose(
        source_id=source_id, target_id=target_id, holds_from=holds_from, reason=reason,
        by=actor.name, at=at,
    )  # fmt: skip
    items = move.items.filter(state="waiting").values_list(
        "subscription__account__company_id", flat=True
    )
    ids = list(items.order_by("pk"))
    wanted = confirmation_of(len(ids))
    if typed.strip() != wanted:
        raise Invalid(_("Type “%(text)s” exactly.") % {"text": wanted}, field="typed")
    return approvals.ask_whole(
        act_key=ACT, subject=move.pk, title=title_of(move), company_ids=ids, reason=reason,
        actor=actor, at=at,
    )  # fmt: skip


def title_of(move: PlanMove) -> str:
    """From which version to which."""
    names = (
        f"{catalogue.name_of(each.plan.names)} {each.number}" for each in (move.source, move.target)
    )
    return " → ".join(names)


def _agree(*, subject: int, actor: User, at: dt.datetime) -> None:
    move = moving.agree(move_id=subject, by=actor.name, at=at)
    _note(move, "plan.moved", actor=actor, at=at, reason=move.reason)


@transaction.atomic
def undo(*, move_id: int, reason: str, actor: User, at: dt.datetime) -> PlanMove:
    """Take a move back; one person may, for it leaves companies what they had.

    Raises:
        NotAllowed: the actor is no platform operator.
        NotFound, Conflict, Invalid: as `billing.moving.undo`.
    """
    rules.demand(actor, "approvals.ask")
    move = moving.undo(move_id=move_id, reason=reason, by=actor.name, at=at)
    _note(move, "plan.move_undone", actor=actor, at=at, reason=reason.strip())
    return move


def _note(move: PlanMove, verb: str, *, actor: User, at: dt.datetime, reason: str) -> None:
    audit.record(
        actor=actor, verb=verb, at=at, object_type="plan", object_id=move.source.plan_id,
        title=title_of(move), reason=reason,
        facts={"companies": move.items.exclude(state="blocked").count()},
    )  # fmt: skip
