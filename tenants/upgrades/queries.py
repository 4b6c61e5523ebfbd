"""Reading the ledger; every function runs in the platform's unit of work."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from tenants.lifecycle import states
from tenants.models import Company
from tenants.upgrades import planning
from tenants.upgrades.models import Preflight, Release, SchemaRun, Setting, Spare, Wave


def newest() -> Release | None:
    """The release that new companies are made at."""
    return Release.objects.filter(following=None).first()


def version_with(head: list[list[str]]) -> str:
    """The newest release whose schemas have just these migrations; empty before it is built."""
    found = Release.objects.filter(head=head).order_by("-built_at", "-pk").first()
    return found.version if found else ""


def get_release(version: str) -> Release | None:
    return Release.objects.select_related("previous").filter(version=version).first()


def releases() -> QuerySet[Release]:
    """Every release, the newest first."""
    return Release.objects.select_related("previous").order_by("-built_at", "-pk")


def told() -> set[str]:
    """The files of notes that some release has told."""
    return {name for names in Release.objects.values_list("told", flat=True) for name in names}


def setting() -> Setting:
    return Setting.objects.filter(pk=1).first() or Setting()


def standing() -> QuerySet[Company]:
    """Every company with tables to keep up to date."""
    return Company.objects.filter(state__in=states.STANDING)


def lagging(release: Release) -> QuerySet[Company]:
    """Companies that are not at `release`: "is everything up to date?" is one query."""
    return standing().exclude(release=release.version)


def spare_count(release: Release) -> int:
    """How many finished schemas wait at `release`."""
    return Spare.objects.filter(release=release, lease=None).count()


@dataclass(frozen=True, slots=True)
class WaveFigures:
    """A wave with how its companies stand."""

    wave: Wave
    counts: dict[str, int]
    total: int
    oldest_wait: Any

    @property
    def percent(self) -> int:
        """How much of it is upgraded."""
        return 100 if not self.total else self.counts.get("done", 0) * 100 // self.total


def waves_of(release: Release) -> list[WaveFigures]:
    """The waves of a release in their order, with counts by state. Two queries."""
    rows = (
        SchemaRun.objects.filter(release=release)
        .values("wave_id", "state")
        .annotate(n=Count("pk"), first=Min("not_before"), last=Max("finished_at"))
    )
    by_wave: dict[int, dict[str, int]] = {}
    waits: dict[int, Any] = {}
    for row in rows:
        by_wave.setdefault(row["wave_id"], {})[row["state"]] = row["n"]
        if row["state"] == SchemaRun.State.WAITING:
            waits[row["wave_id"]] = row["first"]
    return [
        WaveFigures(wave, counts := by_wave.get(wave.pk, {}), sum(counts.values()),
                    waits.get(wave.pk))
        for wave in release.waves.order_by("position")
    ]  # fmt: skip


def runs_of(release: Release, states: tuple[str, ...] = ()) -> QuerySet[SchemaRun]:
    """Runs with their companies, those that need somebody first."""
    rows = SchemaRun.objects.filter(release=release).select_related("company", "wave")
    if states:
        rows = rows.filter(state__in=states)
    return rows.order_by("wave__position", "company__created_at", "pk")


def upgraded_of(release: Release) -> QuerySet[SchemaRun]:
    """Runs whose company stands at the release, not beyond: these can be rolled back."""
    return runs_of(release, (SchemaRun.State.DONE,)).filter(company__release=release.version)


def troubled_of(release: Release) -> QuerySet[SchemaRun]:
    """Runs that need somebody: failed, left behind, or not rolled back though it was tried."""
    left = Q(state__in=(SchemaRun.State.FAILED, SchemaRun.State.HELD, SchemaRun.State.BACK))
    return runs_of(release).filter(left | Q(state=SchemaRun.State.DONE) & ~Q(error=""))


def preflights() -> QuerySet[Preflight]:
    """Every dry run with its company and release, the newest first."""
    return Preflight.objects.select_related("company", "release").order_by("-pk")


def is_proven(release: Release) -> bool:
    """Whether the newest dry run of each company that was tried went well, and there is one."""
    newest = {row.company_id: row for row in preflights().filter(release=release).order_by("pk")}
    green = Preflight.State.GREEN
    return bool(newest) and all(row.state == green for row in newest.values())


def fleet_estimate_ms(release: Release) -> float | None:
    """How long the transactions of all who wait take, by what the dry runs took. Two queries.

    None without one that went well.
    """
    tried = preflights().filter(release=release, state=Preflight.State.GREEN)
    found = [(row.took_ms or 0.0, row.size_bytes) for row in tried]
    sizes = lagging(release).values_list("size_bytes", flat=True)
    return planning.estimate_by(found, sizes) if found else None
