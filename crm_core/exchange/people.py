"""Colleagues from a file: people without a sign-in, and the teams they are in."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.utils.text import slugify
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.exchange.choices import Options
from crm_core.exchange.columns import Draft
from crm_platform.identity.granting import demand_may_grant
from crm_platform.identity.models import Role, Team, User
from crm_platform.identity.rules import demand_ability
from crm_platform.kernel import snapshot

NO_MAIL = "example.invalid"
"""A domain that can never receive mail. Source: RFC 2606."""


class PeopleWriter:
    """Makes deactivated users; an admin may let each of them in later."""

    def __init__(
        self, *, options: Options, actor: User, batch: UUID, places: dict[str, int]
    ) -> None:
        self.options, self.actor, self.batch, self.places = options, actor, batch, places

    def plan(self, drafts: Sequence[Draft]) -> None:
        """Decide each row's outcome. One query."""
        known = _known()
        seen: set[str] = set()
        for draft in drafts:
            if draft.outcome:
                continue
            name = str(draft.values.get("name", "")).strip()
            if not name:
                draft.fail(_("“Name” is needed."), self.places.get("name", -1))
                continue
            key = str(draft.values.get("email") or name).lower()
            draft.pk = known[key].pk if key in known else 0
            is_known = bool(draft.pk) or key in seen
            seen.add(key)
            draft.outcome = "updated" if is_known else "created"
            if is_known and self.options.known == "skip":
                draft.outcome, draft.notes = "skipped", [_("This person is here already.")]

    def absent_links(self) -> set[tuple[str, str]]:
        """People have none."""
        return set()

    def store(self, drafts: Sequence[Draft], *, at: dt.datetime) -> None:
        """Write the planned rows; a fixed number of statements but for new teams."""
        demand_ability(self.actor, "users.manage")
        wanted = [draft for draft in drafts if draft.outcome in ("created", "updated")]
        teams = _teams([str(draft.values.get("team", "")) for draft in wanted], self.actor, at)
        heads = {str(d.values["manager"]): d for d in wanted if d.values.get("manager")}
        facts = {name: _team_of(draft, teams) for name, draft in heads.items()}
        _add(facts, role="manager", actor=self.actor, at=at)
        new = {str(d.values["name"]): d for d in wanted if d.outcome == "created"}
        made = _add(
            {name: _team_of(draft, teams) for name, draft in new.items()},
            role="member", actor=self.actor, at=at,
            emails={name: str(d.values.get("email") or "") for name, d in new.items()},
        )  # fmt: skip
        for name, draft in new.items():
            draft.pk = made[name].pk if name in made else 0
        self._update([draft for draft in wanted if draft.outcome == "updated"], teams, at)
        snapshot.bump()

    def _update(self, drafts: Sequence[Draft], teams: dict[str, Team], at: dt.datetime) -> None:
        """Team, title and phone of people who are here; nobody's role or sign-in is touched."""
        known = _known()
        entries, changed = [], []
        for draft in drafts:
            key = str(draft.values.get("email") or draft.values["name"]).lower()
            person = known.get(key)
            if person is None:
                continue
            diff: dict[str, list[object]] = {}
            team = _team_of(draft, teams)
            if team is not None and person.team_id != team.pk:
                diff["team"] = [person.team_id, team.pk]
                person.team = team
            for name in ("title", "phone"):
                if draft.values.get(name) and draft.values[name] != getattr(person, name):
                    diff[name] = [getattr(person, name), draft.values[name]]
                    setattr(person, name, draft.values[name])
            if diff:
                changed.append(person)
                entries.append((person, diff))
            else:
                draft.outcome, draft.notes = "skipped", [_("This person is here already.")]
        User.objects.bulk_update(changed, ["team", "title", "phone"])
        audit.record_many(
            actor=self.actor, verb="person.changed", at=at, on_type="person", entries=entries,
            batch=self.batch,
        )  # fmt: skip


def add_strangers(*, names: Iterable[str], actor: User, at: dt.datetime) -> int:
    """Make a deactivated user for each name nobody here has; returns how many were made."""
    demand_ability(actor, "users.manage")
    known = _known()
    wanted: dict[str, Team | None] = {
        name.strip(): None for name in names if name.strip() and name.strip().lower() not in known
    }
    made = _add(wanted, role="member", actor=actor, at=at)
    if made:
        snapshot.bump()
    return len(made)


def _known() -> dict[str, User]:
    """Everybody by lower-case name and mail, the first of a name. One query."""
    found: dict[str, User] = {}
    for person in User.objects.order_by("-pk"):
        found[person.name.strip().lower()] = person
        found[person.email.lower()] = person
    return found


def _team_of(draft: Draft, teams: dict[str, Team]) -> Team | None:
    return teams.get(str(draft.values.get("team", "")).strip().lower())


def _teams(names: Iterable[str], actor: User, at: dt.datetime) -> dict[str, Team]:
    """Teams by lower-case name, those that are absent made at the top of the tree."""
    known = {team.name.lower(): team for team in Team.objects.order_by("-pk")}
    entries: list[tuple[Team, dict[str, Any]]] = []
    for name in names:
        key = name.strip().lower()
        if key and key not in known:
            team = Team.objects.create(name=name.strip())
            team.path = f"/{team.pk}/"
            team.save(update_fields=["path"])
            known[key] = team
            entries.append((team, {}))
    audit.record_many(actor=actor, verb="team.created", at=at, on_type="team", entries=entries)
    return known


def _add(
    teams: dict[str, Team | None], *, role: str, actor: User, at: dt.datetime,
    emails: dict[str, str] | None = None,
) -> dict[str, User]:  # fmt: skip
    """Make the people that are absent, with their team; returns the new ones by name."""
    known = _known()
    given = Role.objects.get(key=role)
    demand_may_grant(actor, given)
    made: dict[str, User] = {}
    taken = set(known)
    for name, team in teams.items():
        if name.strip().lower() in known:
            continue
        email = (emails or {}).get(name) or _address(name, taken)
        if email.lower() in taken and email.lower() in known:
            continue
        taken.add(email.lower())
        person = User(
            name=name.strip()[:120], email=email.lower(), role=given, team=team, is_active=False,
            created_at=at, deactivated_at=at,
        )  # fmt: skip
        person.set_unusable_password()
        made[name] = person
    User.objects.bulk_create(made.values())
    audit.record_many(
        actor=actor, verb="person.imported", at=at, on_type="person",
        entries=[(person, {}) for person in made.values()],
    )  # fmt: skip
    return made


def _address(name: str, taken: set[str]) -> str:
    """A mail address that can receive nothing, different for everybody."""
    slug = slugify(name)[:60] or "person"
    number, address = 1, f"{slug}@{NO_MAIL}"
    while address in taken:
        number += 1
        address = f"{slug}-{number}@{NO_MAIL}"
    return address
