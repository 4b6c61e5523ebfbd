"""The people of a company: their role, team, profile, and whether they may come in."""

import dataclasses
import datetime as dt
import zoneinfo
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from crm_platform.identity import history, seats
from crm_platform.identity.events import PersonDeactivated
from crm_platform.identity.granting import OWNER, demand_may_grant, demand_may_touch
from crm_platform.identity.models import ApiToken, MailToken, Role, Team, User
from crm_platform.identity.rules import demand_ability
from crm_platform.identity.services import sessions
from crm_platform.identity.services.addresses import clean_email
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed
from crm_platform.kernel.events import publish
from crm_platform.kernel.models import apply_changes

THEMES, DENSITIES = ("auto", "light", "dark"), ("cosy", "compact")
ENTER_VALID = dt.timedelta(days=1)


@transaction.atomic
def make_owner(
    *, name: str, email: str, password_hash: str, language: str, at: dt.datetime,
    enter_hash: str = "", role_key: str = OWNER,
) -> User:  # fmt: skip
    """Make the first person of a company (or an operator, with `role_key`).

    `enter_hash` is the SHA-256 of a one-time secret that signs them in within a day.
    """
    user = User.objects.create(
        name=name, email=clean_email(email), password=password_hash, language=language,
        role=Role.objects.get(key=role_key), created_at=at,
    )  # fmt: skip
    if enter_hash:
        MailToken.objects.create(
            purpose=MailToken.Purpose.ENTER, user=user, token_hash=enter_hash, created_at=at,
            expires_at=at + ENTER_VALID,
        )  # fmt: skip
    history.note("person.added", user, actor=user, at=at, is_config=True)
    return user


def _locked(person: User) -> User:
    return User.objects.select_for_update(of=("self",)).select_related("role").get(pk=person.pk)


def _demand_another_owner(person: User) -> None:
    """Refuse to take the last owner away; locks the owners, so that two cannot leave at once.

    Raises:
        Conflict: `person` is the only active owner.
    """
    if person.role.key != OWNER:
        return
    owners = User.objects.select_for_update().filter(role_id=person.role_id, is_active=True)
    others = [owner for owner in owners.order_by("pk") if owner.pk != person.pk]
    if not others:
        raise Conflict(_("This is the last owner. Make somebody else an owner first."))


@transaction.atomic
def change_role(*, person: User, role: Role, actor: User, at: dt.datetime) -> User:
    """Give somebody another role.

    Raises:
        NotAllowed: it is oneself, or either role allows more than the actor's.
        Conflict: the last owner would be gone, or every seat is taken.
    """
    demand_ability(actor, "users.manage")
    if person.pk == actor.pk:
        raise NotAllowed(_("You cannot change your own role. Ask another admin."), field="role")
    person = _locked(person)
    demand_may_touch(actor, person)
    demand_may_grant(actor, role)
    if role.key != OWNER:
        _demand_another_owner(person)
    seats.demand_seat(role=role, at=at, instead_of=person.role if person.is_active else role)
    diff = apply_changes(person, {"role": role})
    if diff:
        history.note(
            "person.role_changed", person, actor=actor, at=at, changes=diff, is_config=True
        )
    return person


@transaction.atomic
def change_team(*, person: User, team: Team | None, actor: User, at: dt.datetime) -> User:
    """Move somebody to another team, or to none.

    Raises:
        NotAllowed: the actor may not manage people, or this person's role allows more.
    """
    demand_ability(actor, "users.manage")
    person = _locked(person)
    if person.pk != actor.pk:
        demand_may_touch(actor, person)
    diff = apply_changes(person, {"team": team})
    if diff:
        history.note(
            "person.team_changed", person, actor=actor, at=at, changes=diff, is_config=True
        )
    return person


@transaction.atomic
def place(*, person: User, role: Role, team: Team | None, actor: User, at: dt.datetime) -> User:
    """Role and team in one act, as the dialog sends them; unchanged parts need no right.

    Raises:
        NotAllowed, Conflict: as `change_role` and `change_team`.
    """
    demand_ability(actor, "users.manage")
    if role.pk != person.role_id:
        person = change_role(person=person, role=role, actor=actor, at=at)
    if (team.pk if team else None) != person.team_id:
        person = change_team(person=person, team=team, actor=actor, at=at)
    return person


@transaction.atomic
def deactivate(*, person: User, successor: User | None, actor: User, at: dt.datetime) -> User:
    """Keep somebody out: browsers, keys and links end now; the successor takes over the records.

    Without a successor the records keep their owner, who can no longer come in.

    Raises:
        NotAllowed: oneself, or somebody who may do more.
        Conflict: the last owner.
        Invalid: the successor cannot work here.
    """
    demand_ability(actor, "users.manage")
    if person.pk == actor.pk:
        raise NotAllowed(_("You cannot deactivate yourself. Ask another admin."))
    person = _locked(person)
    demand_may_touch(actor, person)
    if not person.is_active:
        return person
    _demand_another_owner(person)
    if successor is not None and (successor.pk == person.pk or not successor.is_active):
        raise Invalid(_("Choose somebody else who works here."), field="successor")
    person.is_active, person.deactivated_at = False, at
    person.save(update_fields=["is_active", "deactivated_at"])
    _end_everything(person, at)
    successor_id = successor.pk if successor else None
    changes: dict[str, list[Any]] = {"is_active": [True, False], "successor": [None, successor_id]}
    history.note("person.deactivated", person, actor=actor, at=at, changes=changes, is_config=True)
    publish(PersonDeactivated(person.pk, successor_id, actor.pk, at))
    return person


def _end_everything(person: User, at: dt.datetime) -> None:
    sessions.end_others(user=person, keep=None)
    ApiToken.objects.filter(user=person, revoked_at=None).update(revoked_at=at)
    MailToken.objects.filter(user=person, used_at=None).update(used_at=at)


@transaction.atomic
def reactivate(*, person: User, actor: User, at: dt.datetime) -> User:
    """Let somebody in again, with the role and password they had; keys stay revoked.

    Raises:
        NotAllowed: their role allows more than the actor's.
        Conflict: every seat is taken.
    """
    demand_ability(actor, "users.manage")
    person = _locked(person)
    demand_may_touch(actor, person)
    if not person.is_active:
        seats.demand_seat(role=person.role, at=at)
    diff = apply_changes(person, {"is_active": True, "deactivated_at": None})
    if diff:
        history.note("person.reactivated", person, actor=actor, at=at, is_config=True)
    return person


@transaction.atomic
def update_profile(
    *, user: User, name: str, title: str, phone: str, language: str, time_zone: str,
    at: dt.datetime,
) -> User:  # fmt: skip
    """Change one's own name, title, phone, language and time zone ("" = the company's).

    Raises:
        Invalid: no name, or an unknown language or time zone.
    """
    name = " ".join(name.split())
    if not name:
        raise Invalid(_("Say your name."), field="name")
    check_language(language)
    if time_zone:
        check_time_zone(time_zone)
    values = {"name": name, "title": title.strip(), "phone": phone.strip(), "language": language,
              "time_zone": time_zone}  # fmt: skip
    diff = apply_changes(user, values)
    if diff:
        # Names are shown from snapshots, so this is configuration too.
        history.note(
            "person.profile_changed", user, actor=user, at=at, changes=diff, is_config=True
        )
    return user


@transaction.atomic
def set_preferences(
    *, user: User, theme: str | None = None, density: str | None = None, language: str | None = None
) -> User:
    """Keep how somebody wants to see things; None leaves a choice as it is.

    Raises:
        Invalid: a value we do not have.
    """
    given = {"theme": (theme, THEMES), "density": (density, DENSITIES)}
    values = {key: value for key, (value, _known) in given.items() if value is not None}
    if any(value not in known for value, known in given.values() if value is not None):
        raise Invalid(_("Choose one of the values offered."))
    if language is not None:
        check_language(language)
        values["language"] = language
    apply_changes(user, values)
    return user


def check_language(language: str) -> None:
    """Refuse a language we do not speak.

    Raises:
        Invalid: it is none of `settings.LANGUAGES`.
    """
    if language not in dict(settings.LANGUAGES):
        raise Invalid(_("Choose one of the languages offered."), field="language")


def check_time_zone(name: str) -> None:
    """Refuse a time zone that does not exist.

    Raises:
        Invalid: the IANA database has no such name.
    """
    if name not in zoneinfo.available_timezones():
        raise Invalid(_("Choose a time zone from the list."), field="time_zone")


@dataclasses.dataclass(frozen=True, slots=True)
class Owner:
    """Whom the platform writes to about the company itself."""

    name: str
    email: str
    language: str


def owners() -> list[Owner]:
    """The active owners of the current company, by age. One query."""
    found = User.objects.filter(role__key=OWNER, is_active=True).order_by("pk")
    return [Owner(*row) for row in found.values_list("name", "email", "language")]


def everybody() -> list[Owner]:
    """Everybody who may come in here; on the platform's side, its operators. One query."""
    found = User.objects.filter(is_active=True).order_by("pk")
    return [Owner(*row) for row in found.values_list("name", "email", "language")]


def count_active() -> int:
    return User.objects.filter(is_active=True, is_support=False).count()


def last_seen() -> dt.datetime | None:
    """When anybody was last here."""
    found: dt.datetime | None = User.objects.aggregate(at=Max("last_seen_at"))["at"]
    return found
