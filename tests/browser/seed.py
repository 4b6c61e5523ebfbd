"""Makes the browser tests' company in a process of its own; prints how to get in, as JSON.

The tests' own process has the test settings; the served one must have the real ones.
"""

import datetime as dt
import io
import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")

import django

django.setup()

from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.utils import timezone

from billing import catalogue, clock, snapshots, subscribing
from billing.models import MetricDay, MetricSnapshot
from crm_core.web import samples, services
from crm_platform.identity.models import Role, User
from crm_platform.kernel import snapshot, tenancy
from tenants import queries
from tenants import services as tenants
from tenants.models import Company
from tenants.upgrades import queries as upgrades
from tenants.upgrades.models import Release, SchemaRun, Wave
from tenants.upgrades.words import reason_failed
from tests.browser import seed_work

PASSWORD = "correct horse battery"


def _stopped_release(company: Company, at: dt.datetime) -> None:
    """A release that changes nothing, stopped because the company's data did not fit it."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        newest = upgrades.newest()
        assert newest is not None
        release = Release.objects.create(
            version="next-1", previous=newest, state=Release.State.STOPPED, built_at=at,
            state_reason=reason_failed(1), head=newest.head,
            script=newest.script, fingerprint=newest.fingerprint,
            shape={"tables": [], "before": "", "after": ""},
        )  # fmt: skip
        wave = Wave.objects.create(
            release=release, position=2, ring="rest", state=Wave.State.STOPPED, started_at=at
        )
        SchemaRun.objects.create(
            release=release, wave=wave, company=company, state=SchemaRun.State.FAILED, attempts=1,
            error="ValueError: Breaks the release has no district.", started_at=at, finished_at=at,
        )  # fmt: skip


def _upgraded(company: Company, at: dt.datetime) -> None:
    """The company's way to the release it stands at, as if it had not been made with it."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = Release.objects.get(version=company.release)
        wave = Wave.objects.create(
            release=release, position=2, ring="rest", state=Wave.State.DONE, started_at=at
        )
        SchemaRun.objects.create(
            release=release, wave=wave, company=company, state=SchemaRun.State.DONE, attempts=1,
            started_at=at, finished_at=at, took_ms=38.2, checks=["fingerprint", "reads"],
        )  # fmt: skip


def _late_company(at: dt.datetime) -> None:
    """A company whose first bill fell due six days ago."""
    owner = tenants.NewOwner(name="Lin Ho", email="lin@lanterns.example", password_hash="!")
    company = tenants.request_company(
        name="Late Lanterns", slug="lanterns", owner=owner, language="en", currency="USD",
        time_zone="Asia/Taipei", at=at,
    )  # fmt: skip
    tenants.build(company_id=company.pk, at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=company.pk).update(state=Company.State.TRIAL)
        [price] = [
            each for each in catalogue.prices_to_be_had("default")
            if (each.currency, each.interval) == ("USD", "month")
        ]  # fmt: skip
    buyer = subscribing.Buyer(legal_name="Late Lanterns Ltd", address="1 Quay Road", country="HK")
    subscribing.start(
        company_id=company.pk, price_id=price.pk, seats=5, buyer=buyer, by="Lin Ho",
        at=at - dt.timedelta(days=20),
    )  # fmt: skip
    clock.run(at=at)


def _company_on_trial(at: dt.datetime) -> None:
    """A company whose owner has not rented anything yet."""
    owner = tenants.NewOwner(
        name="Pia Pier", email="owner@pier.example", password_hash=make_password(PASSWORD)
    )
    company = tenants.request_company(
        name="Pier Eleven", slug="pier", owner=owner, language="en", currency="USD",
        time_zone="Asia/Taipei", at=at,
    )  # fmt: skip
    tenants.build(company_id=company.pk, at=at)


def _earlier_figures(at: dt.datetime) -> None:
    """A year of month ends in which companies came, grew, shrank, left and came back."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        companies = list(Company.objects.order_by("created_at"))[:2]
        until = at.date()
        for number in range(13):
            until = until.replace(day=1) - dt.timedelta(days=1)
            MetricDay.objects.create(day=until, taken_at=at, is_filled=True)
            for place, company in enumerate(companies):
                if (number + place) % 4 == 0:
                    continue
                MetricSnapshot.objects.create(
                    day=until, company=company, currency="USD", seats=5 + number % 3,
                    mrr=125_000 + 35_000 * ((number + place) % 3),
                    began_on=at.date() - dt.timedelta(days=200 * (2 - place)),
                )  # fmt: skip


def main() -> None:
    call_command("migrate_platform", verbosity=0)
    call_command("release", "up", verbosity=0, stdout=io.StringIO())
    owner = tenants.NewOwner(
        name="Wai Chan", email="owner@harbour.example", password_hash=make_password(PASSWORD)
    )
    now = timezone.now()
    company = tenants.request_company(
        name="Harbour Trading", slug="harbour", owner=owner, language="en", currency="USD",
        time_zone="Asia/Taipei", at=now,
    )  # fmt: skip
    tenants.build(company_id=company.pk, at=now)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company.refresh_from_db()
    scope = queries.scope_of(company, "harbour.localhost")
    with tenancy.unit_of_work(scope):
        actor = User.objects.get(email="owner@harbour.example")
        services.apply_template(key="b2b", actor=actor, at=now)
        for key in ("member", "viewer"):
            User.objects.create(
                email=f"{key}@harbour.example", name=f"{key.title()} Lee",
                role=Role.objects.get(key=key), password=make_password(PASSWORD), created_at=now,
            )  # fmt: skip
        snapshot.bump()
    with tenancy.unit_of_work(scope):
        samples.load_samples(actor=actor, at=now)
    _upgraded(company, now)
    _stopped_release(company, now)
    _late_company(now)
    _company_on_trial(now)
    _earlier_figures(now)
    snapshots.catch_up(at=now)
    told = io.StringIO()
    call_command("make_demo_operator", stdout=told)
    operator = json.loads(told.getvalue())
    seed_work.fill(company, scope, now)
    sys.stdout.write(json.dumps({"password": PASSWORD, "operator": operator}) + "\n")


if __name__ == "__main__":
    main()
