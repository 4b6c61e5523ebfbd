"""The company in which the matrix plays: one person whose role changes, and records around them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from crm_core.registry import RecordType, record_types
from crm_platform.identity.models import Role, User
from crm_platform.identity.services import tokens
from crm_platform.kernel import snapshot, tenancy
from tests import factories
from tests.isolation.companies import open_company
from tests.isolation.matrix import undone
from tests.isolation.probes import Visitor
from tests.permissions.table import RELATIONS, Cast


@dataclass
class Play:
    """The company, its person with a session and a key, and `records[kind][relation]`."""

    scope: tenancy.Scope
    person: User
    cookie: tuple[str, str]
    token: str
    records: dict[str, dict[str, int]]

    @property
    def page(self) -> Visitor:
        return Visitor("page", self.scope.host, self.cookie)

    @property
    def program(self) -> Visitor:
        return Visitor("api", self.scope.host, None, self.token)

    @contextmanager
    def undone(self) -> Iterator[None]:
        with undone(self.scope):
            yield

    def give(self, cast: Cast, *, abilities: tuple[str, ...] = (), limits: Any = None) -> None:
        """Give the person the role, from the next request on."""
        with tenancy.unit_of_work(self.scope):
            if cast.is_system:
                role = Role.objects.get(key=cast.name)
            else:
                role, _made = Role.objects.update_or_create(
                    key="matrix",
                    defaults={
                        "name": "Matrix",
                        "rights": {"*": cast.levels},
                        "abilities": list(abilities),
                        "field_limits": limits or {},
                    },
                )
            User.objects.filter(pk=self.person.pk).update(role=role)
            snapshot.bump()


def play_of(slug: str) -> Play:
    """Build it."""
    scope = open_company(slug, first_id=7_000_001)
    with tenancy.unit_of_work(scope):
        north, south = factories.team("North"), factories.team("South")
        below = factories.team("Below", parent=north)
        person = factories.user(role="owner", team=north, name="Matrix Person")
        others = {
            name: factories.user(role="owner", team=team, name=f"Owner of {name}")
            for name, team in (("team", north), ("below", below), ("other", south))
        }
    records: dict[str, dict[str, int]] = {}
    with tenancy.unit_of_work(scope):
        for kind in record_types():
            records[kind.name] = {
                relation: _record(kind, relation, person, others, south.pk)
                for relation in relations_of(kind)
            }
        _row, key = tokens.make_token(
            user=person, name="matrix", scope="write", days=300, at=timezone.now()
        )
    return Play(scope, person, factories.session_cookie(scope, person), key, records)


def relations_of(kind: RecordType) -> list[str]:
    """The relations a record of the kind can have to a person."""
    has_assignee = kind.field("assignee") is not None
    return [name for name in RELATIONS if name != "assigned" or has_assignee]


def _record(
    kind: RecordType, relation: str, person: User, others: dict[str, User], far: int
) -> int:
    """A record; one's own lies in a far team, so that only its owner can explain a yes."""
    owner = others["other"] if relation in ("assigned", "nobody") else others.get(relation, person)
    values: dict[str, Any] = {"name": f"{relation} {kind.name}", "owner": owner.pk}
    if kind.name == "activity":
        values |= {"kind": "task", "assignee": others["other"].pk}
    if relation == "assigned":
        values["assignee"] = person.pk
    if relation == "own":
        values["team"] = far
    record = kind.create(values=values, actor=owner, at=factories.NOON)
    if relation == "nobody":
        kind.model._default_manager.filter(pk=record.pk).update(owner=None, team=None)
    if kind.name == "activity" and relation == "own":
        kind.model._default_manager.filter(pk=record.pk).update(assignee=others["other"])
    return int(record.pk)
