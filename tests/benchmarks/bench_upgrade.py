"""An additive release over many companies, against `migrate_schemas` in the same run."""

import argparse
import json
import statistics
import sys
import time

from tests.benchmarks import fleets
from tests.benchmarks.fleets import say


def companies(count: int, release) -> list:
    """So many active companies at the release."""
    from django.utils import timezone

    from crm_platform.kernel import tenancy
    from tenants import provisioning
    from tenants.models import Company, Domain

    made = []
    for number in range(count):
        schema, slug = provisioning.new_schema_name(), f"fleet-{number}"
        provisioning.build_schema(schema, script=release.script)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = Company.objects.create(
                name=slug, slug=slug, schema_name=schema, state=Company.State.ACTIVE,
                created_at=timezone.now(), release=release.version,
            )  # fmt: skip
            Domain.objects.create(company=company, host=f"{slug}.testserver")
        made.append(company)
    return made


def widen() -> None:
    """The running code has one additive migration more."""
    from django.conf import settings

    from tenants import provisioning

    settings.MIGRATION_MODULES = {"records": "tests.benchmarks.additive"}
    for each in (provisioning.company_statements, provisioning.company_script,
                 provisioning.company_migrations):  # fmt: skip
        each.cache_clear()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=500)
    parser.add_argument("--sample", type=int, default=25, help="companies of django-tenants")
    options = parser.parse_args()
    superuser = fleets.begin()
    from django.utils import timezone

    from tenants.upgrades import auditing, building, running, services
    from tenants.upgrades.models import SchemaRun

    first = building.build_release(version="b1", at=timezone.now())
    say(f"making {options.companies} companies …")
    made = companies(options.companies, first)
    widen()
    building.build_release(version="b2", at=timezone.now())
    services.plan_release(version="b2", at=timezone.now())
    services.start(version="b2", at=timezone.now())
    say("upgrading …")
    began = time.perf_counter()
    done = running.work(version="b2", clock=timezone.now, any_hour=True)
    seconds = time.perf_counter() - began
    from crm_platform.kernel import tenancy
    from tenants.upgrades import queries

    began = time.perf_counter()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = queries.get_release("b2")
        lagging = queries.lagging(release).count()
    same, other = auditing.audit(release, made)
    audit_ms = (time.perf_counter() - began) * 1000
    with tenancy.unit_of_work(tenancy.PLATFORM):
        took = list(SchemaRun.objects.order_by("finished_at").values_list("took_ms", flat=True))
    tenth = max(len(took) // 10, 1)
    growth = statistics.median(took[-tenth:]) / statistics.median(took[:tenth])
    say("django-tenants …")
    fleets.rival(superuser, "prepare", 0)
    fleets.rival(superuser, "make", options.sample)
    fleets.crowd(superuser, options.companies - options.sample, first.script)
    theirs = statistics.mean(
        fleets.rival(superuser, "upgrade", options.sample, RIVAL_FUTURE="1")
    ) * 1000  # fmt: skip
    fleets.end(superuser)
    ours = seconds * 1000 / options.companies
    result = {
        "companies": options.companies, "upgraded": done.upgraded, "failed": done.failed,
        "seconds": round(seconds, 2), "ms_a_company": round(ours, 2),
        "transaction_ms": round(statistics.median(took), 2),
        "last_to_first_tenth": round(growth, 2),
        "migrate_schemas_ms_a_company": round(theirs, 1), "ratio": round(theirs / ours, 1),
        "audit_ms": round(audit_ms, 1), "audited": len(same), "lagging": lagging,
    }  # fmt: skip
    targets = {
        "all upgraded": done.upgraded == options.companies and not other and not lagging,
        "≥ 30 × faster": theirs / ours >= 30, "audit ≤ 50 ms": audit_ms <= 50,
        "growth ≤ 1.5": growth <= 1.5,
    }  # fmt: skip
    missed = [name for name, met in targets.items() if not met]
    sys.stdout.write(
        json.dumps({"name": "upgrade", "ok": not missed, **result, "missed": missed}) + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
