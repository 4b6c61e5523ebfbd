"""Dry runs: the only code that asks for, carries out and tidies up `Preflight` rows.

The name of a copy is in its row before the schema stands, with its maker's lock; so a maker that
dies leaves no schema that nobody knows.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict
from uuid import UUID

from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants import provisioning
from tenants.models import Company
from tenants.upgrades import (
    applying,
    copying,
    linting,
    linting_sql,
    queries,
    rendering,
    trying,
    words,
)
from tenants.upgrades.models import Preflight, Release

logger = logging.getLogger("rapport.upgrades")
State = Preflight.State
MOST, BIGGEST = 50, 3
Clock = Callable[[], dt.datetime]


def ask(
    *, version: str, at: dt.datetime, slugs: Iterable[str] = (), biggest: int = BIGGEST
) -> list[Preflight]:
    """Ask for a try on each company named, or on the `biggest` few that wait for the release.

    A company whose try is still to come is not asked for twice.

    Raises:
        NotFound: there is no such release or company.
        Conflict: the release is finished or the first one, or nobody waits for it.
        Invalid: the number is out of bounds.
    """
    wanted = list(dict.fromkeys(slugs))
    if not 1 <= (len(wanted) or biggest) <= MOST:
        raise Invalid(
            _("Give a number from %(least)d to %(most)d.") % {"least": 1, "most": MOST},
            field="biggest",
        )
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = queries.get_release(version)
        if release is None:
            raise NotFound(_("There is no such release."))
        if release.previous is None or release.state == Release.State.DONE:
            raise Conflict(_("This release is finished: there is nothing to try."))
        waiting = queries.standing().filter(release=release.previous.version)
        chosen = list(waiting.filter(slug__in=wanted)) if wanted else list(
            waiting.order_by("-size_bytes", "pk")[:biggest]
        )  # fmt: skip
        absent = set(wanted) - {company.slug for company in chosen}
        if absent:
            raise NotFound(
                _("No company that waits for this release is named %(names)s.")
                % {"names": ", ".join(sorted(absent))}
            )
        if not chosen:
            raise Conflict(_("No company waits for this release."))
        return [_asked(release, company, at) for company in chosen]


def _asked(release: Release, company: Company, at: dt.datetime) -> Preflight:
    rows = Preflight.objects.select_related("release", "company")
    open_one = rows.filter(
        release=release, company=company, state__in=(State.WAITING, State.RUNNING)
    ).first()
    return open_one or Preflight.objects.create(release=release, company=company, at=at)


def run(*, preflight_id: int, clock: Clock) -> Preflight | None:
    """Try it, whatever becomes of it; the copy is gone afterwards. None if it is gone.

    One that another worker has, or that was done, stays as it is.
    """
    lease = applying.take_lease()
    try:
        row = _claim(preflight_id, lease)
        if row is None:
            with tenancy.unit_of_work(tenancy.PLATFORM):
                return queries.preflights().filter(pk=preflight_id).first()
        facts = _tried(row)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            Preflight.objects.filter(pk=row.pk).update(
                **facts, schema_name="", lease=None, finished_at=clock()
            )
            return queries.preflights().filter(pk=row.pk).first()
    finally:
        applying.give_lease_back(lease)


def _claim(preflight_id: int, lease: int) -> Preflight | None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Preflight.objects.select_for_update(of=("self",), skip_locked=True)
        row = (
            rows.filter(pk=preflight_id, state=State.WAITING)
            .select_related("company", "release__previous").first()
        )  # fmt: skip
        if row is not None:
            row.state, row.lease = State.RUNNING, lease
            row.schema_name = provisioning.new_schema_name()
            row.save(update_fields=["state", "lease", "schema_name"])
        return row


def _tried(row: Preflight) -> dict[str, object]:
    """What to write into the row."""
    facts: dict[str, object] = {}
    try:
        try:
            facts["verdict"] = faults = _verdict(row.release)
            assert row.release.previous is not None
            copied = copying.copy_company(
                row.company, row.schema_name, script=row.release.previous.script
            )
            facts |= {"rows": copied.rows, "size_bytes": copied.size}
            scope = copying.scope_of_copy(row.company, row.schema_name)
            seen = trying.try_release(row.release, row.schema_name, scope)
            return {**facts, **asdict(seen), "state": State.RED if faults else State.GREEN}
        finally:
            provisioning.remove_schema(row.schema_name)
    except Exception as error:
        logger.info("Release %s fails on a copy of %s", row.release, row.company_id, exc_info=True)
        return {**facts, "state": State.RED, "error": f"{type(error).__name__}: {error}"[:4000]}


def _verdict(release: Release) -> list[str]:
    """What the linter says of the release, where the running code still has its migrations."""
    if release.head != rendering.head() or release.previous is None:
        return []
    rendered = rendering.rendered_after(release.previous.head)
    plain = [fault for each in rendered for fault in linting.faults_of(each.migration)]
    return [*plain, *linting_sql.faults_in(rendered)]


def tidy(*, at: dt.datetime) -> int:
    """Drop the copies of workers that died; returns how many. Idempotent."""
    living = applying.living_leases()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        cut = list(Preflight.objects.filter(state=State.RUNNING).exclude(lease__in=living))
    for row in cut:
        provisioning.remove_schema(row.schema_name)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            Preflight.objects.filter(pk=row.pk, lease=row.lease).update(
                state=State.RED, error=words.CUT_OFF, schema_name="", lease=None, finished_at=at
            )
    return len(cut)


def waiting_ids() -> list[int]:
    """Those that nobody has begun. One query."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Preflight.objects.filter(state=State.WAITING).order_by("pk")
        return list(rows.values_list("pk", flat=True))


def forget_company(*, company_id: UUID) -> None:
    """Drop what there is of a company that is being erased; in the platform's unit of work."""
    rows = Preflight.objects.filter(company_id=company_id)
    for schema in rows.exclude(schema_name="").values_list("schema_name", flat=True):
        provisioning.remove_schema(schema)
    rows.delete()
