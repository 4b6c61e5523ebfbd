"""What a company may see of its own upgrades: where it stands, what was done, what comes next."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NotFound
from tenants.models import Company
from tenants.upgrades import choices, planning, queries
from tenants.upgrades.models import Release, SchemaRun, Wave

MOST = 100
State = SchemaRun.State
OPEN = (State.WAITING, State.RUNNING, State.DATA)


@dataclass(frozen=True, slots=True)
class Coming:
    """The release the company is not at yet; `run` is None before operators planned it."""

    release: Release
    run: SchemaRun | None
    may_hurry: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """`runs` newest first; `last_day` is the latest to which an upgrade may be put off."""

    company: Company
    has_window: bool
    waits_until: dt.datetime | None
    last_day: dt.date
    longest_wait_days: int
    coming: Coming | None
    runs: list[SchemaRun]


def standing_of(company_id: UUID, *, at: dt.datetime) -> Standing:
    """Everything the company's own page shows. Four queries in a unit of its own.

    Raises:
        NotFound: there is no such company.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.filter(pk=company_id).first()
        if company is None:
            raise NotFound(_("There is no such company."))
        runs = runs_of(company_id)
        newest, days = queries.newest(), queries.setting().longest_wait_days
        is_behind = newest is not None and company.release not in ("", newest.version)
        coming = _coming(newest, runs, at) if newest is not None and is_behind else None
        waiting = coming.run if coming else None
        after = company.upgrade_after
        return Standing(
            company=company,
            has_window=planning.has_window(company),
            waits_until=after if after and after > at else None,
            last_day=choices.last_day(company, waiting, days=days, at=at),
            longest_wait_days=days,
            coming=coming,
            runs=runs,
        )


def runs_of(company_id: UUID) -> list[SchemaRun]:
    """The company's own runs, newest first; in the platform's unit of work. One query."""
    rows = SchemaRun.objects.select_related("release", "wave").filter(company_id=company_id)
    return list(rows.order_by("-pk")[:MOST])


def _coming(release: Release, runs: list[SchemaRun], at: dt.datetime) -> Coming:
    run = next((r for r in runs if r.release_id == release.pk and r.state in OPEN), None)
    is_free = release.state in (Release.State.PLANNED, Release.State.RUNNING)
    waits = run is not None and run.state == State.WAITING and _may_gain(run, at)
    return Coming(release, run, may_hurry=is_free and waits)


def _may_gain(run: SchemaRun, at: dt.datetime) -> bool:
    """Whether asking for it now would bring it sooner: its hours or its wave are still to come."""
    is_too_early = run.not_before is not None and run.not_before > at
    wave = run.wave
    return is_too_early or (wave.ring == Company.Ring.REST and wave.state == Wave.State.WAITING)
