"""Plain functions with dull defaults; they write through the services where rules matter."""

import datetime as dt
import hashlib
import itertools
import secrets

from django.conf import settings

from crm_core.activities.models import Activity
from crm_core.fields.models import Tag
from crm_core.records.models import Account, Contact
from crm_core.registry import record_type
from crm_core.sales.models import Deal, LostReason, Pipeline, Stage
from crm_platform.identity.models import Role, Session, Team, User
from crm_platform.identity.roles import SYSTEM_ROLES
from crm_platform.kernel import snapshot, tenancy

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
_numbers = itertools.count(1)


def seed_company() -> None:
    """Roles, one pipeline with six stages, two lost reasons."""
    for position, spec in enumerate(SYSTEM_ROLES):
        Role.objects.create(
            key=spec.key,
            name=spec.name,
            rights=spec.rights,
            abilities=list(spec.abilities),
            is_system=True,
            position=position,
        )
    pipeline = Pipeline.objects.create(name="Sales", is_default=True)
    rows = [("Qualify", 10), ("Discovery", 25), ("Proposal", 50), ("Negotiation", 75)]
    for position, (name, probability) in enumerate(rows):
        Stage.objects.create(
            pipeline=pipeline,
            name=name,
            probability=probability,
            hue=position + 1,
            position=position,
        )
    Stage.objects.create(
        pipeline=pipeline, name="Won", kind="won", probability=100, hue=5, position=8
    )
    Stage.objects.create(
        pipeline=pipeline, name="Lost", kind="lost", probability=0, hue=8, position=9
    )
    for position, name in enumerate(("Price", "No decision")):
        LostReason.objects.create(name=name, position=position)
    snapshot.bump()


def role(key: str = "member") -> Role:
    return Role.objects.get(key=key)


def custom_role(rights: dict, *, abilities: tuple[str, ...] = (), key: str = "") -> Role:
    number = next(_numbers)
    made = Role.objects.create(
        key=key or f"role{number}", name=f"Role {number}", rights=rights, abilities=list(abilities)
    )
    snapshot.bump()
    return made


def team(name: str = "", parent: Team | None = None) -> Team:
    made = Team.objects.create(name=name or f"Team {next(_numbers)}", parent=parent)
    made.path = f"{parent.path if parent else '/'}{made.pk}/"
    made.save()
    snapshot.bump()
    return made


def user(role: str | Role = "member", team: Team | None = None, **facts) -> User:
    number = next(_numbers)
    of_role = role if isinstance(role, Role) else Role.objects.get(key=role)
    made = User(
        email=facts.pop("email", f"user{number}.{secrets.token_hex(3)}@example.com"),
        name=facts.pop("name", f"User {number}"),
        role=of_role,
        team=team,
        created_at=NOON,
        **facts,
    )
    made.set_password("correct horse battery")
    made.save()
    snapshot.bump()
    return made


def session_cookie(
    scope: tenancy.Scope, person: User, at: dt.datetime | None = None
) -> tuple[str, str]:
    """The cookie's name and value of a new session of `person`."""
    from django.utils import timezone

    now = at or timezone.now()
    secret = secrets.token_urlsafe(32)
    with tenancy.unit_of_work(scope):
        Session.objects.create(
            key_hash=hashlib.sha256(secret.encode()).hexdigest(),
            company_id=scope.id,
            user=person,
            created_at=now,
            last_seen_at=now,
            expires_at=now + dt.timedelta(days=14),
        )
    return settings.SESSION_COOKIE_NAME, secret


def account(actor: User, **values) -> Account:
    values.setdefault("name", f"Account {next(_numbers)}")
    return record_type("account").create(values=values, actor=actor, at=NOON)


def contact(actor: User, **values) -> Contact:
    values.setdefault("name", f"Contact {next(_numbers)}")
    return record_type("contact").create(values=values, actor=actor, at=NOON)


def stage(name: str = "", kind: str = "open") -> Stage:
    rows = Stage.objects.filter(kind=kind)
    return rows.get(name=name) if name else rows.first()


def deal(actor: User, **values) -> Deal:
    values.setdefault("name", f"Deal {next(_numbers)}")
    values.setdefault("amount", "1000")
    return record_type("deal").create(values=values, actor=actor, at=NOON)


def activity(actor: User, about=None, **values) -> Activity:
    values.setdefault("kind", "task")
    values.setdefault("name", f"Task {next(_numbers)}")
    return record_type("activity").create(values=values, actor=actor, at=NOON, about=about)


def record(kind_name: str, actor: User, **values):
    """A record of any registered kind."""
    makers = {"account": account, "contact": contact, "deal": deal, "activity": activity}
    return makers[kind_name](actor, **values)


def tag(name: str = "", hue: int = 1) -> Tag:
    made = Tag.objects.create(name=name or f"Tag {next(_numbers)}", hue=hue)
    snapshot.bump()
    return made
