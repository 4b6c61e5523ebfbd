"""Reading people, roles and teams, ready to render."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from crm_platform.identity.models import Invitation, Role, SupportVisit, Team, User
from crm_platform.kernel.snapshot import snapshot


def people() -> QuerySet[User]:
    """Everybody, active ones first, by name; with role and team."""
    order = ("-is_active", "name", "pk")
    return User.objects.select_related("role", "team").filter(is_support=False).order_by(*order)


def active_people() -> QuerySet[User]:
    """Who may come in, by name."""
    return User.objects.filter(is_active=True, is_support=False).order_by("name", "pk")


def get_person(pk: int) -> User | None:
    return User.objects.select_related("role", "team").filter(pk=pk, is_support=False).first()


def people_matching(text: str) -> QuerySet[User]:
    """`people()` whose name, mail address or title holds `text`."""
    text = text.strip()
    if not text:
        return people()
    holds = Q(name__icontains=text) | Q(email__icontains=text) | Q(title__icontains=text)
    return people().filter(holds)


def open_invitations() -> list[Invitation]:
    """Neither accepted nor withdrawn, newest first; those too old among them."""
    rows = Invitation.objects.filter(accepted_at=None, revoked_at=None)
    return list(rows.select_related("role", "team", "invited_by"))


def roles() -> QuerySet[Role]:
    """Every role in its order, but for those of support visitors."""
    shown = Role.objects.exclude(key__startswith="support-")
    return shown.order_by("position", "name", "pk")


def roles_with_counts() -> list[Role]:
    """Every role with `people_count` of active people. One query."""
    count = Count("users", filter=Q(users__is_active=True))
    return list(roles().annotate(people_count=count))


def teams() -> QuerySet[Team]:
    return Team.objects.order_by("name", "pk")


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One line of the tree; `depth` 0 is the top, `people_count` counts active people."""

    team: Team
    depth: int
    people_count: int
    is_empty: bool

    @property
    def pk(self) -> int:
        return self.team.pk

    @property
    def name(self) -> str:
        return self.team.name

    @property
    def steps(self) -> range:
        """One for each level above, for the template to indent by."""
        return range(self.depth)


def team_tree() -> list[TeamRow]:
    """Teams as a tree read downwards, siblings by name. One query."""
    active = Count("users", filter=Q(users__is_active=True), distinct=True)
    every = list(teams().annotate(active=active, every=Count("users", distinct=True)))
    below: dict[int | None, list[Team]] = {}
    for team in every:
        below.setdefault(team.parent_id, []).append(team)
    found: list[TeamRow] = []

    def walk(parent_id: int | None, depth: int) -> None:
        for team in below.get(parent_id, []):
            empty = not team.every and team.pk not in below  # type: ignore[attr-defined]
            found.append(TeamRow(team, depth, team.active, empty))  # type: ignore[attr-defined]
            walk(team.pk, depth + 1)

    walk(None, 0)
    return found


def is_too_old(invitation: Invitation, at: dt.datetime) -> bool:
    return invitation.expires_at <= at


def support_visits() -> list[SupportVisit]:
    """What operators asked for, newest first."""
    return list(SupportVisit.objects.select_related("decided_by", "user")[:100])


@snapshot
def granted_visits() -> tuple[SupportVisit, ...]:
    """Visits the company agreed to and nobody ended; time may have. Kept in the process."""
    granted = SupportVisit.objects.filter(state=SupportVisit.State.GRANTED)
    return tuple(granted.order_by("until"))


def visits_now(at: dt.datetime) -> list[SupportVisit]:
    """The visits that go on at a moment. No query, but the first after configuration changed."""
    return [visit for visit in granted_visits() if visit.until and visit.until > at]


@snapshot
def roles_by_id() -> dict[int, Role]:
    """Every role by id. Kept in the process and shared: never change one."""
    return {role.pk: role for role in Role.objects.all()}
