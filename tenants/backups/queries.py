"""Reading the ledger; for the platform's unit of work."""

import datetime as dt
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from tenants.backups import rules
from tenants.backups.models import Backup, RestoreRun
from tenants.lifecycle import states
from tenants.models import Company

State = Backup.State


def backups(company: Company | None = None) -> QuerySet[Backup]:
    """The ledger, newest first."""
    rows = Backup.objects.select_related("company").order_by("-due_at", "-created_at", "id")
    return rows.filter(company=company) if company else rows


def restores(company: Company) -> QuerySet[RestoreRun]:
    """What was restored from a company's backups, newest first."""
    rows = RestoreRun.objects.filter(company=company).select_related("backup", "restored")
    return rows.order_by("-started_at", "id")


def newest_done(company: Company) -> Backup | None:
    return backups(company).filter(state=State.DONE).first()


def find_backup(said: str) -> Backup | None:
    """By id, by the first eight or more of its characters, or the newest of a company's address."""
    wanted = said.replace("-", "").lower()
    is_hex = len(wanted) >= 8 and not set(wanted) - set("0123456789abcdef")
    if is_hex:
        # Ids are few: the ledger holds some thirty rows a company.
        low = UUID(hex=wanted.ljust(32, "0")[:32])
        high = UUID(hex=wanted.ljust(32, "f")[:32])
        found = list(backups().filter(id__gte=low, id__lte=high)[:2])
        if len(found) == 1:
            return found[0]
    return backups().filter(company__slug=said.lower(), state=State.DONE).first()


def companies_without_tonight(at: dt.datetime) -> list[tuple[UUID, dt.datetime]]:
    """Company and moment of each nightly backup that is due and not in the ledger. Two queries."""
    known = set(
        Backup.objects.filter(
            reason=Backup.Reason.DAILY, due_at__gte=at - dt.timedelta(days=3)
        ).values_list("company_id", "due_at")
    )
    standing = Company.objects.filter(state__in=states.STANDING, live=None, created_at__lte=at)
    due = [
        (pk, rules.nightly_moment(pk, zone, at))
        for pk, zone in standing.values_list("pk", "time_zone")
    ]
    return [each for each in due if each not in known]


def waiting_ids(at: dt.datetime, *, limit: int) -> list[UUID]:
    """Backups a worker should be called for: due ones, and those whose worker died."""
    is_free = Q(lease_until=None) | Q(lease_until__lt=at)
    waiting = Q(state=State.WAITING, due_at__lte=at) | Q(state=State.RUNNING)
    rows = Backup.objects.filter(waiting & is_free).order_by("due_at", "id")
    return list(rows.values_list("pk", flat=True)[:limit])


def removable(at: dt.datetime) -> list[tuple[UUID, str]]:
    """Id and name of each archive that no rule keeps; every company keeps its newest."""
    moments: dict[UUID, dict[dt.datetime, list[tuple[UUID, str]]]] = {}
    rows = Backup.objects.filter(state=State.DONE, due_at__lte=at)
    for company, pk, name, due in rows.values_list("company_id", "pk", "name", "due_at"):
        moments.setdefault(company, {}).setdefault(due, []).append((pk, name))
    found = []
    for of_company in moments.values():
        staying = rules.kept(of_company)
        found += [each for due, rows in of_company.items() if due not in staying for each in rows]
    return found


def next_rehearsal(at: dt.datetime) -> Backup | None:
    """The newest backup of a company whose monthly rehearsal is due, longest unrehearsed first."""
    done = {
        row["company"]: row["last"]
        for row in RestoreRun.objects.filter(kind=RestoreRun.Kind.REHEARSAL)
        .values("company")
        .annotate(last=Max("started_at"))
    }
    with_backup = Backup.objects.filter(state=State.DONE).values_list("company_id", flat=True)
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    for pk in sorted(set(with_backup), key=lambda pk: done.get(pk, never)):
        if done.get(pk, never) < rules.rehearsal_moment(pk, at):
            return backups().filter(company_id=pk, state=State.DONE).first()
    return None


def dead_restores(at: dt.datetime) -> list[UUID]:
    """Restores that began a day ago and never ended."""
    rows = RestoreRun.objects.filter(state=RestoreRun.State.RUNNING)
    return list(rows.filter(started_at__lt=at - dt.timedelta(days=1)).values_list("pk", flat=True))


def find_restore(said: str) -> RestoreRun | None:
    """A finished restore by its address (before or after a swap) or id."""
    rows = RestoreRun.objects.filter(kind=RestoreRun.Kind.COPY).order_by("-started_at")
    rows = rows.filter(state__in=(RestoreRun.State.DONE, RestoreRun.State.SWAPPED))
    return next((row for row in rows if said in (row.slug, str(row.pk))), None)
