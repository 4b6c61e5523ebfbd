"""Taking a seat: one for everybody who may change things, and for each open invitation to.

The pool's row is locked and the holders are counted, in the transaction that makes the next one:
two can never take the last seat, and no counter can drift from the people who are there.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import F, Q
from django.utils.translation import gettext as _

from billing.seats.models import SeatPool
from crm_platform.identity.models import Invitation, Role, User
from crm_platform.kernel.errors import Conflict, Invalid

CHANGING = ("create", "edit", "delete")


@dataclass(frozen=True, slots=True)
class Seats:
    """How the seats stand; `purchased` is None where they are not limited."""

    purchased: int | None
    people: int
    invited: int

    @property
    def used(self) -> int:
        return self.people + self.invited

    @property
    def free(self) -> int | None:
        return None if self.purchased is None else max(self.purchased - self.used, 0)

    @property
    def is_over(self) -> bool:
        """More are in use than are paid for: nobody is locked out, nobody more comes in."""
        return self.purchased is not None and self.used > self.purchased


def needs_seat(role: Role) -> bool:
    """Whether people of this role take a seat: those who only look do not."""
    if role.abilities:
        return True
    levels = [rights.get(verb, "none") for rights in role.rights.values() for verb in CHANGING]
    return any(level != "none" for level in levels)


def _seated_roles() -> list[int]:
    return [role.pk for role in Role.objects.all() if needs_seat(role)]


def standing(*, at: dt.datetime) -> Seats:
    """How the seats of the company stand. Four queries."""
    purchased = SeatPool.objects.filter(pk=1).values_list("purchased", flat=True).first()
    roles = _seated_roles()
    people = User.objects.filter(is_active=True, is_support=False, role_id__in=roles).count()
    invited = Invitation.objects.filter(
        accepted_at=None, revoked_at=None, expires_at__gt=at, role_id__in=roles
    ).count()
    return Seats(purchased, people, invited)


def demand_seat(*, role: Role, at: dt.datetime, instead_of: Role | None = None) -> None:
    """Refuse somebody more where no seat is free; the pool stays locked until they are kept.

    Call it before the person or the invitation is made, in the same transaction.

    `instead_of` is the role they leave: who has a seat keeps it.

    Raises:
        Conflict: every seat is taken.
    """
    if not needs_seat(role) or (instead_of is not None and needs_seat(instead_of)):
        return
    purchased = _locked_number()
    if purchased is not None and standing(at=at).used >= purchased:
        raise _taken(purchased)


def demand_not_more(*, was: Role, role: Role, at: dt.datetime) -> None:
    """Refuse a change of a role, made already in this transaction, for which seats are missing.

    Raises:
        Conflict: its people would take more seats than there are.
    """
    if not needs_seat(role) or needs_seat(was):
        return
    purchased = _locked_number()
    if purchased is not None and standing(at=at).used > purchased:
        raise _taken(purchased)


def _locked_number() -> int | None:
    pool = SeatPool.objects.select_for_update().filter(pk=1).first()
    return pool.purchased if pool else None


def _taken(count: int) -> Conflict:
    return Conflict(
        _("All %(count)d seats are taken. An owner can add some under Settings, Billing; who only"
          " looks (a viewer) needs none.")
        % {"count": count}
    )  # fmt: skip


def demand_enough(*, count: int, at: dt.datetime) -> None:
    """Refuse fewer seats than people and invitations hold.

    Raises:
        Invalid: more are in use.
    """
    used = standing(at=at).used
    if count < used:
        raise Invalid(
            _("%(used)d seats are in use. Deactivate somebody, or withdraw an invitation.")
            % {"used": used},
            field="seats",
        )


def idle(*, since: dt.datetime) -> list[User]:
    """Who holds a seat but was not here since then, longest first. Two queries."""
    gone = Q(last_seen_at__lt=since) | Q(last_seen_at=None, created_at__lt=since)
    rows = User.objects.filter(gone, is_active=True, is_support=False, role_id__in=_seated_roles())
    return list(rows.order_by(F("last_seen_at").asc(nulls_first=True), "pk")[:50])


def set_purchased(*, purchased: int | None, at: dt.datetime) -> None:
    """Keep what the platform says was rented."""
    SeatPool.objects.update_or_create(pk=1, defaults={"purchased": purchased, "told_at": at})
