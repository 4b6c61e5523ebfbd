"""Reading the register for the console: who is there, how they are, and how big."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from billing.catalogue import name_of
from billing.models import Plan, Subscription
from crm_platform.console.models import CompanyNote, OperatorEntry, TaskFailure
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.paging import decode_cursor, encode_cursor
from tenants.backups.models import RestoreRun
from tenants.lifecycle import states
from tenants.models import Company
from tenants.upgrades.models import Release

A_PAGE = 50
DAY = dt.timedelta(days=1)
MIB = 1024 * 1024
LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SORTS = {
    "name": "name", "users": "user_count", "size": "size_bytes", "created": "created_at",
    "used": "used", "release": "release", "errors": "errors", "state": "state",
}  # fmt: skip
DEFAULT_SORT = "-created"
SIZES = {"s": (0, 10 * MIB), "m": (10 * MIB, 100 * MIB), "l": (100 * MIB, 1 << 62)}
USES = {"week": 7, "month": 30}
HEALTHS = ("ok", "warn", "bad")
NO_PLAN = "none"
Restored = RestoreRun.State


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked to see; an unknown value asks for nothing."""

    text: str = ""
    state: str = ""
    release: str = ""
    ring: str = ""
    size: str = ""
    used: str = ""
    health: str = ""
    plan: str = ""
    sort: str = DEFAULT_SORT


def newest_release() -> str:
    """The newest release any company stands at; empty before the first. One query."""
    return next(iter(releases()), "")


def releases() -> list[str]:
    """The releases companies stand at, in the order they were built, newest first. One query."""
    used = Company.objects.filter(state__in=states.STANDING).values("release")
    known = Release.objects.filter(version__in=used).order_by("-built_at", "-pk")
    return list(known.values_list("version", flat=True))


def plans() -> dict[int, str]:
    """The name of each plan by its id, as the reader says it. One query."""
    rows = Plan.objects.order_by("position", "pk").values_list("pk", "names")
    return {pk: name_of(names) for pk, names in rows}


def _rents() -> QuerySet[Subscription]:
    return Subscription.objects.filter(ended_at=None).order_by()


def described(newest: str) -> QuerySet[Company]:
    """Companies with `failed_tasks`, `errors`, `is_behind`, `health`, `used` and what they rent.

    `is_copy`: restored beside another company; `is_replaced`: such a one stands in its place.
    `used` is 1970 where nobody ever came; `plan` (an id) and `seats` are None where nothing is
    rented.
    """
    rented = _rents().filter(account__company_id=OuterRef("pk"))
    opened = (
        TaskFailure.objects.filter(company_id=OuterRef("pk"), resolved_at=None)
        .order_by().values("company_id").annotate(count=Count("pk")).values("count")
    )  # fmt: skip
    failed = Coalesce(Subquery(opened, output_field=IntegerField()), 0)
    imports, mails = Coalesce("facts__imports_failed", 0), Coalesce("facts__mail_failed", 0)
    behind = Q(state__in=states.STANDING) & ~Q(release=newest)
    return (
        Company.objects.select_related("facts").prefetch_related("domains")
        .annotate(
            failed_tasks=failed, plan=Subquery(rented.values("price__version__plan")[:1]),
            seats=Subquery(rented.values("seats")[:1]),
            is_copy=Exists(RestoreRun.objects.filter(restored=OuterRef("pk"), state=Restored.DONE)),
            is_replaced=Exists(
                RestoreRun.objects.filter(company=OuterRef("pk"), state=Restored.SWAPPED)
            ),
        )
        .annotate(
            errors=F("failed_tasks") + imports + mails,
            used=Coalesce("last_used_at", Value(LONG_AGO), output_field=DateTimeField()),
            is_behind=Case(When(behind, then=Value(1)), default=Value(0)),
        )
        .annotate(
            health=Case(
                When(Q(state=Company.State.FAILED) | Q(failed_tasks__gt=0), then=Value("bad")),
                When(Q(errors__gt=0) | Q(is_behind=1), then=Value("warn")),
                default=Value("ok"),
            )
        )
    )  # fmt: skip


def restored_pair(company_id: UUID) -> RestoreRun | None:
    """The restore by which a company is a copy, or has one in its place."""
    is_copy = Q(restored=company_id, state__in=(Restored.DONE, Restored.SWAPPED))
    rows = RestoreRun.objects.filter(is_copy | Q(company=company_id, state=Restored.SWAPPED))
    return rows.select_related("backup", "company", "restored").order_by("-started_at").first()


def companies(wanted: Wanted, *, newest: str, at: dt.datetime) -> QuerySet[Company]:
    """Every company that was asked for, in no order yet."""
    found = described(newest)
    if wanted.text:
        text = wanted.text
        holds = Q(name__icontains=text) | Q(slug__icontains=text)
        holds |= Q(domains__host__icontains=text) | Q(facts__owner_email__icontains=text)
        found = found.filter(pk__in=Company.objects.filter(holds).values("pk"))
    if wanted.state in Company.State.values:
        found = found.filter(state=wanted.state)
    if wanted.ring in Company.Ring.values:
        found = found.filter(ring=wanted.ring)
    if wanted.release:
        found = found.filter(release=wanted.release)
    if wanted.size in SIZES:
        least, most = SIZES[wanted.size]
        found = found.filter(size_bytes__gte=least, size_bytes__lt=most)
    if wanted.health in HEALTHS:
        found = found.filter(Q(health=wanted.health))
    if wanted.plan == NO_PLAN:
        found = found.exclude(pk__in=_rents().values("account__company_id"))
    elif wanted.plan.isdecimal():
        renting = _rents().filter(price__version__plan_id=int(wanted.plan[:9]))
        found = found.filter(pk__in=renting.values("account__company_id"))
    return _used(found, wanted.used, at)


def _used(found: QuerySet[Company], used: str, at: dt.datetime) -> QuerySet[Company]:
    if used in USES:
        return found.filter(last_used_at__gte=at - USES[used] * DAY)
    if used == "longer":
        return found.filter(last_used_at__lt=at - USES["month"] * DAY)
    return found.filter(last_used_at=None) if used == "never" else found


def page_of(
    found: QuerySet[Company], *, sort: str, after: str
) -> tuple[list[Company], str]:  # fmt: skip
    """One page in the order asked for, and the cursor of the next one.

    Raises:
        Invalid: a damaged cursor.
    """
    is_down = sort.startswith("-")
    column = SORTS.get(sort.removeprefix("-"))
    if column is None:
        is_down, column = True, SORTS["created"]
    if after:
        value, pk = _place(after, column)
        beyond = "lt" if is_down else "gt"
        same = Q(**{column: value, f"pk__{beyond}": pk})
        found = found.filter(Q(**{f"{column}__{beyond}": value}) | same)
    sign = "-" if is_down else ""
    rows = list(found.order_by(f"{sign}{column}", f"{sign}pk")[: A_PAGE + 1])
    if len(rows) <= A_PAGE:
        return rows, ""
    last = rows[A_PAGE - 1]
    value = getattr(last, column)
    plain = value.isoformat() if isinstance(value, dt.datetime) else value
    return rows[:A_PAGE], encode_cursor([plain, str(last.pk)])


def _place(cursor: str, column: str) -> tuple[object, UUID]:
    value, pk = decode_cursor(cursor, length=2)
    try:
        if column in ("used", "created_at"):
            return dt.datetime.fromisoformat(str(value)), UUID(str(pk))
        return (int(value) if isinstance(value, int) else str(value)), UUID(str(pk))
    except (TypeError, ValueError) as error:
        raise Invalid(_("This page address is damaged. Open the list again.")) from error


def address_of(company: Company) -> str:
    """The company's link, from its primary domain; empty for a removed one."""
    hosts = [domain.host for domain in company.domains.all() if domain.is_primary]
    return str(settings.ENVIRONMENT.address_of(hosts[0])) if hosts else ""


def timeline(company_id: UUID, *, limit: int = 50) -> list[OperatorEntry]:
    """What operators did to one company, newest first. One query."""
    return list(OperatorEntry.objects.filter(company_id=company_id).order_by("-at", "-pk")[:limit])


def notes(company_id: UUID) -> list[CompanyNote]:
    return list(CompanyNote.objects.filter(company_id=company_id).order_by("-at", "-pk")[:100])


def longest_unsurveyed_ids(*, limit: int) -> list[UUID]:
    """Working companies, those never looked into first."""
    order = F("facts__surveyed_at").asc(nulls_first=True)
    active = Company.objects.filter(state__in=states.WORKS)
    return list(active.order_by(order, "pk").values_list("pk", flat=True)[:limit])
