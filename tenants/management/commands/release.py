"""`crm release …`: build, check, plan, run and inspect releases of the companies' tables."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from tenants.upgrades import (
    auditing,
    building,
    planning,
    preflights,
    queries,
    rolling_back,
    running,
    services,
)
from tenants.upgrades.models import Preflight, Release, SchemaRun
from tenants.upgrades.words import stop_reason


class Command(BaseCommand):
    help = "Releases of the companies' tables. `crm release up` does everything at once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)

        def act(name: str, words: str, *, version: bool = True) -> CommandParser:
            made: CommandParser = acts.add_parser(name, help=words)
            if version:
                made.add_argument("version")
            return made

        build = act("build", "render the running code's migrations; prove and keep them")
        build.add_argument("--most-failures", type=int, default=0, help="a wave stops beyond")
        check = act("check", "try it on throw-away copies of companies: time, locks, verdict")
        check.add_argument("--companies", default="", help="address names, by commas")
        check.add_argument("--biggest", type=int, default=preflights.BIGGEST, help="so many")
        act("plan", "put every company into a wave; shows order, windows, an estimate")
        run = act("run", "upgrade until the release is over or stops")
        run.add_argument("--any-hour", action="store_true", help="disregard companies' windows")
        stop = act("stop", "take no further company")
        stop.add_argument("--reason", required=True)
        act("status", "releases and waves", version=False)
        act("audit", "read every company's own migration rows")
        for name, words in (("retry", "try a company again"), ("hold", "leave a company behind")):
            act(name, words).add_argument("company", help="address name")
        back = act("back", "bring a company, or all of a wave, to the release before")
        which = back.add_mutually_exclusive_group(required=True)
        which.add_argument("company", nargs="?", help="address name")
        which.add_argument("--wave", choices=planning.RINGS, help="all of this wave")
        act("up", "build, plan and run whatever the running code brings", version=False)

    def handle(self, *_args: Any, **options: Any) -> None:
        acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "build": self._build, "check": self._check, "plan": self._plan, "run": self._run,
            "stop": self._stop, "status": self._status, "audit": self._audit, "retry": self._one,
            "hold": self._one, "back": self._back, "up": self._up,
        }  # fmt: skip
        try:
            acts[options["act"]](options)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal

    def _build(self, options: dict[str, Any]) -> None:
        release = building.build_release(
            version=options["version"], at=timezone.now(), most_failures=options["most_failures"]
        )
        self.stdout.write(f"{release}: {len(release.steps)} steps, {release.fingerprint}")
        for step in release.steps:
            way = "code" if step["kind"] == "python" else f"{len(step['sql'])} statements"
            back = "can be undone" if step["back"] is not None else "CANNOT be undone"
            self.stdout.write(f"  {step['app']}.{step['name']}: {way}, {back}")

    def _check(self, options: dict[str, Any]) -> None:
        names = [name.strip() for name in options["companies"].split(",") if name.strip()]
        preflights.tidy(at=timezone.now())
        asked = preflights.ask(
            version=options["version"], at=timezone.now(), slugs=names, biggest=options["biggest"]
        )
        for each in asked:
            row = preflights.run(preflight_id=each.pk, clock=timezone.now)
            if row is not None:
                self._show(row)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            release = _release(options["version"])
            wait_ms = queries.fleet_estimate_ms(release)
            count, is_proven = queries.lagging(release).count(), queries.is_proven(release)
        if wait_ms is not None:
            self.stdout.write(f"{count} companies: about {wait_ms / 1000:.0f} s one after another")
        if not is_proven:
            raise CommandError(f"Release {release} is not proven.")

    def _show(self, row: Preflight) -> None:
        self.stdout.write(
            f"{row.company.slug:<30} {row.state:<6} {row.took_ms or 0:.0f} ms locked,"
            f" {row.after_ms or 0:.0f} ms after, {row.rows} rows, {row.size_bytes / 2**20:.1f} MB"
        )
        for table, mode in row.locks.items():
            anew = ", written anew" if table in row.rewritten else ""
            self.stdout.write(f"  {table}: {mode}{anew}")
        for line in [*row.verdict, *([row.error] if row.error else [])]:
            self.stderr.write(f"  {line}")

    def _plan(self, options: dict[str, Any]) -> None:
        release = services.plan_release(version=options["version"], at=timezone.now())
        with tenancy.unit_of_work(tenancy.PLATFORM):
            runs = list(queries.runs_of(release))
        for run in runs:
            opens = run.not_before.isoformat(timespec="minutes") if run.not_before else "now"
            self.stdout.write(f"{run.wave.ring:<7} {run.company.slug:<30} from {opens}")
        seconds = planning.estimate_ms(run.company for run in runs) / 1000
        self.stdout.write(f"{len(runs)} companies, about {seconds:.0f} s one after the other")

    def _run(self, options: dict[str, Any]) -> None:
        version = options["version"]
        with tenancy.unit_of_work(tenancy.PLATFORM):
            wanted = _release(version)
            is_proven = wanted.previous is None or queries.is_proven(wanted)
        if not is_proven and not options.get("is_up"):
            self.stderr.write(f"No dry run of {version} went well yet: crm release check {version}")
        services.start(version=version, at=timezone.now())
        done = running.work(
            version=version, clock=timezone.now, any_hour=options.get("any_hour", False)
        )
        self.stdout.write(
            f"{done.upgraded} upgraded, {done.failed} failed, {done.requeued} put off"
        )
        with tenancy.unit_of_work(tenancy.PLATFORM):
            release = _release(version)
            failed = list(queries.runs_of(release, (SchemaRun.State.FAILED,)))
        for run in failed:
            self.stderr.write(f"{run.company.slug}: {run.error}")
        if release.state == Release.State.STOPPED:
            raise CommandError(f"Release {version} stopped: {stop_reason(release.state_reason)}")
        self.stdout.write(f"Release {version} is {release.state}.")

    def _stop(self, options: dict[str, Any]) -> None:
        services.stop(version=options["version"], reason=options["reason"])

    def _status(self, _options: dict[str, Any]) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            for release in queries.releases():
                behind = queries.lagging(release).count()
                self.stdout.write(f"{release.version:<20} {release.state:<8} {behind} not there")
                for each in queries.waves_of(release):
                    counts = ", ".join(f"{n} {state}" for state, n in sorted(each.counts.items()))
                    self.stdout.write(f"  {each.wave.ring:<7} {each.wave.state:<8} {counts}")

    def _audit(self, options: dict[str, Any]) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            release = _release(options["version"])
            wanted = list(queries.standing().filter(release=release.version))
        same, other = auditing.audit(release, wanted)
        names = {company.pk: company.slug for company in wanted}
        self.stdout.write(f"{len(same)} companies are as {release} says, {len(other)} are not")
        if other:
            raise CommandError(", ".join(names[pk] for pk in other[:50]))

    def _one(self, options: dict[str, Any]) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            rows = queries.runs_of(_release(options["version"]))
            run = rows.filter(company__slug=options["company"]).first()
        if run is None:
            raise CommandError("This company has no run of this release.")
        if options["act"] == "retry":
            services.retry(run_id=run.pk, at=timezone.now())
        elif options["act"] == "hold":
            services.hold(run_id=run.pk)
        else:
            rolling_back.roll_back(run_id=run.pk)
        self.stdout.write(f"{options['company']}: {options['act']}")

    def _back(self, options: dict[str, Any]) -> None:
        if not options["wave"]:
            self._one(options)
            return
        with tenancy.unit_of_work(tenancy.PLATFORM):
            wave = _release(options["version"]).waves.filter(ring=options["wave"]).first()
        if wave is None:
            raise CommandError("This release has no such wave.")
        done, refused = rolling_back.roll_back_wave(
            wave_id=wave.pk, reason=f"Rolled back: {options['wave']}"
        )
        self.stdout.write(f"{options['wave']}: {done} rolled back, {len(refused)} not")
        if refused:
            raise CommandError("; ".join(sorted(set(refused))))

    def _up(self, _options: dict[str, Any]) -> None:
        """For a service of one machine: no windows, no waiting."""
        at = timezone.now()
        release = building.build_if_needed(version=next_version(at), at=at)
        if release.state == Release.State.DONE:
            self.stdout.write(f"Release {release} is up to date.")
            return
        services.plan_release(version=release.version, at=at)
        self._run({"version": release.version, "any_hour": True, "is_up": True})


def _release(version: str) -> Release:
    release = queries.get_release(version)
    if release is None:
        raise CommandError("There is no such release.")
    return release


def next_version(at: dt.datetime) -> str:
    """`2026.11.22`, with a number behind it from the second of a day on."""
    day = f"{at:%Y.%m.%d}"
    with tenancy.unit_of_work(tenancy.PLATFORM):
        taken = set(
            Release.objects.filter(version__startswith=day).values_list("version", flat=True)
        )
    names = [day, *(f"{day}.{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
