"""Additive releases over many companies, with people at work; `migrate_schemas` in the same run."""

import argparse
import json
import os
import statistics
import sys
import threading
import time

from tests.benchmarks import fleets
from tests.benchmarks.clients import at_work, quantile
from tests.benchmarks.fleets import say

LOCK_TIMEOUT_MS = 200
REPORT_SECONDS = 6.0
MOST_SECONDS = 180.0
PACE_SECONDS = 1.0
"""One request a second and company: 20 a second in all, a third of what the two cores serve."""


def companies(numbers: range, release) -> list:
    """Active companies at the release."""
    from django.utils import timezone

    from crm_platform.kernel import tenancy
    from tenants import provisioning
    from tenants.models import Company, Domain

    made = []
    for number in numbers:
        schema, slug = provisioning.new_schema_name(), f"fleet-{number}"
        provisioning.build_schema(schema, script=release.script)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = Company.objects.create(
                name=slug, slug=slug, schema_name=schema, state=Company.State.ACTIVE,
                created_at=timezone.now(), release=release.version,
            )  # fmt: skip
            Domain.objects.create(company=company, host=f"{slug}.testserver", is_primary=True)
        made.append(company)
    return made


def build(step: int):
    """The release of the running code with so many additive migrations more, running."""
    from django.conf import settings
    from django.utils import timezone

    from tenants import provisioning
    from tenants.upgrades import building, services

    os.environ["ADDITIVE_STEPS"] = str(step)
    settings.MIGRATION_MODULES = {"records": "tests.benchmarks.additive"}
    for each in (provisioning.company_statements, provisioning.company_script,
                 provisioning.company_migrations):  # fmt: skip
        each.cache_clear()
    version = f"b{step + 1}"
    release = building.build_release(version=version, at=timezone.now())
    services.plan_release(version=version, at=timezone.now())
    services.start(version=version, at=timezone.now())
    return release


def upgrade(release, rest=None) -> tuple[int, float]:
    """How many companies a worker brought to the release, and in how many seconds."""
    from django.utils import timezone

    from tenants.upgrades import running

    began = time.perf_counter()
    done = running.work(
        version=release.version, clock=timezone.now, any_hour=True, rest=rest or running.no_rest
    )
    return done.upgraded, time.perf_counter() - began


def audit_ms(release, made) -> tuple[list[float], int, int]:
    """The register asked who lags, every schema read: times (the first by a fresh connection)."""
    from crm_platform.kernel import tenancy
    from crm_platform.kernel.db.owner.base import owner_connection
    from tenants.upgrades import auditing, queries

    owner_connection().close()
    times = []
    for _turn in range(6):
        began = time.perf_counter()
        with tenancy.unit_of_work(tenancy.PLATFORM):
            lagging = queries.lagging(release).count()
        same, _other = auditing.audit(release, made)
        times.append((time.perf_counter() - began) * 1000)
    return times, len(same), lagging


# -- people at work ------------------------------------------------------------------------------


def seated(company) -> tuple[str, str, str]:
    """A company with a pipeline, an owner and a few contacts, as a client's target."""
    from crm_platform.kernel import tenancy
    from tenants import queries
    from tests import factories

    scope = queries.scope_of(company, f"{company.slug}.testserver")
    with tenancy.unit_of_work(scope):
        factories.seed_company()
        owner = factories.user(role="owner")
        for _number in range(50):
            factories.contact(owner)
    name, value = factories.session_cookie(scope, owner)
    csrf = "b" * 32
    return scope.host, f"{name}={value}; csrf={csrf}", csrf


def report(superuser_url: str, schema: str, is_open: threading.Event) -> None:
    """A report that reads for six seconds, in a transaction of its own."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(superuser_url, dbname="fleet") as raw:
        raw.execute(SQL("SELECT count(*) FROM {}.records_contact").format(Identifier(schema)))
        is_open.set()
        raw.execute("SELECT pg_sleep(%s)", [REPORT_SECONDS])


def beside_people(superuser_url: str, made, busy: int) -> dict[str, float]:
    """Upgrade every company while `busy` of them are used, one of these with a report open."""
    from crm_platform.kernel import tenancy
    from tenants.upgrades.models import SchemaRun
    from tests.benchmarks.server import web_server

    targets = [seated(company) for company in made[:busy]]
    reporting, others = {5}, set(range(busy)) - {5}
    with web_server({}) as server:
        with at_work(server.port, targets, pace=PACE_SECONDS):
            time.sleep(4)  # the first touch of each page and company
        say("people at work, nothing else …")
        with at_work(server.port, targets, pace=PACE_SECONDS) as idle:
            time.sleep(15)
        say("people at work, a report open, upgrading …")
        release, is_open = build(3), threading.Event()
        # A thread with a session of its own, which works for no company.
        reader = threading.Thread(  # noqa: TID251
            target=report, args=(superuser_url, made[5].schema_name, is_open)
        )
        with at_work(server.port, targets, pace=PACE_SECONDS) as during:
            reader.start()
            is_open.wait()
            upgraded, seconds = upgrade_all(release, len(made))
            reader.join()
        with tenancy.unit_of_work(tenancy.PLATFORM):
            retries = SchemaRun.objects.get(release=release, company=made[5]).lock_retries
    quiet, loud = idle.times_ms(of=others), during.times_ms(of=others)
    usual = statistics.median(idle.times_ms(of=reporting))
    return {
        "people_upgraded": upgraded, "people_seconds": round(seconds, 2),
        "requests_idle": len(idle.rows), "requests_during": len(during.rows),
        "errors": idle.errors + during.errors,
        "idle_p50_ms": round(quantile(quiet, 0.5), 1),
        "idle_p99_ms": round(quantile(quiet, 0.99), 1),
        "during_p50_ms": round(quantile(loud, 0.5), 1),
        "during_p99_ms": round(quantile(loud, 0.99), 1),
        "p99_ratio": round(quantile(loud, 0.99) / quantile(quiet, 0.99), 2),
        "report_waits_ms": round(during.times_ms(of=reporting)[-1] - usual, 1),
        "report_retries": retries,
    }  # fmt: skip


def upgrade_all(release, count: int) -> tuple[int, float]:
    """Go on until the company that was busy is upgraded too: how many, in how many seconds."""
    began, done = time.perf_counter(), 0
    while done < count and time.perf_counter() - began < MOST_SECONDS:
        done += upgrade(release, rest=time.sleep)[0]  # as the hosted workers do
        time.sleep(0.1 if done < count else 0)
    return done, time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--companies", type=int, default=1000)
    parser.add_argument("--beside", type=int, default=500, help="schemas of django-tenants")
    parser.add_argument("--sample", type=int, default=25, help="of these, upgraded")
    parser.add_argument("--busy", type=int, default=20, help="companies with people at work")
    options = parser.parse_args()
    superuser = fleets.begin()
    fleets.rest()
    from django.utils import timezone

    from tenants.upgrades import building

    first = building.build_release(version="b1", at=timezone.now())
    say(f"making {options.few} companies, upgrading them …")
    made = companies(range(options.few), first)
    fleets.settle(superuser)
    release = build(1)
    few_done, few_seconds = upgrade(release)
    say(f"making {options.companies} companies, upgrading them …")
    made += companies(range(options.few, options.companies), release)
    fleets.settle(superuser)
    release = build(2)
    all_done, all_seconds = upgrade(release)
    audits, same, lagging = audit_ms(release, made)
    people = beside_people(superuser, made, options.busy)
    say("django-tenants …")
    fleets.rival(superuser, "prepare", 0)
    fleets.rival(superuser, "make", options.sample)
    fleets.crowd(superuser, options.beside - options.sample, first.script)
    theirs = statistics.mean(
        fleets.rival(superuser, "upgrade", options.sample, RIVAL_FUTURE="1")
    ) * 1000  # fmt: skip
    fleets.end(superuser)
    few, ours = few_seconds * 1000 / options.few, all_seconds * 1000 / options.companies
    audit = statistics.median(audits[1:])
    result = {
        "companies": options.companies, "upgraded": all_done, "seconds": round(all_seconds, 2),
        "ms_a_company": round(ours, 2), "ms_a_company_of_few": round(few, 2),
        "many_to_few": round(ours / few, 2),
        "migrate_schemas_ms_a_company": round(theirs, 1), "ratio": round(theirs / ours, 1),
        "audit_ms": round(audit, 1), "audit_first_ms": round(audits[0], 1),
        "audited": same, "lagging": lagging, **people,
    }  # fmt: skip
    targets = {
        "all upgraded": (few_done, all_done, people["people_upgraded"], same, lagging)
        == (options.few, options.companies, options.companies, options.companies, 0),
        "≥ 30 × faster": theirs / ours >= 30, "audit ≤ 50 ms": audit <= 50,
        "growth ≤ 1.5": ours / few <= 1.5, "no error": people["errors"] == 0,
        "a report's company waits ≤ lock_timeout + 50 ms":
            people["report_waits_ms"] <= LOCK_TIMEOUT_MS + 50,
        "others' p99 ≤ 1.5 × idle": people["p99_ratio"] <= 1.5,
    }  # fmt: skip
    missed = [name for name, met in targets.items() if not met]
    sys.stdout.write(
        json.dumps({"name": "upgrade", "ok": not missed, **result, "missed": missed},
                   ensure_ascii=False) + "\n"
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
