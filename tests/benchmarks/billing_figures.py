"""How long one day's figures of many renting companies take; for a database that is set up."""

import datetime as dt
import time
import uuid

AT = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def snapshot_seconds(companies: int) -> float:
    """Seconds to keep one day of so many renting companies; everything made is undone."""
    from django.db import transaction

    from billing import snapshots
    from billing.models import MetricDay, MetricSnapshot
    from crm_platform.kernel import tenancy

    day = AT.date()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        MetricDay.objects.filter(day=day).delete()
        MetricSnapshot.objects.filter(day=day).delete()
        _renters(companies)
        began = time.perf_counter()
        kept = snapshots.take(day=day, at=snapshots.midnight(day + DAY))
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    if kept < companies:
        raise RuntimeError(f"Only {kept} of {companies} companies were counted.")
    return seconds


def _renters(count: int) -> None:
    """Companies with accounts and subscriptions, a third of them by the year."""
    from billing.models import Account, Price, Subscription
    from tenants.models import Company

    prices = list(
        Price.objects.filter(version__state="published", currency="USD").order_by("interval")
    )
    run = uuid.uuid4().hex[:8]
    made = Company.objects.bulk_create(
        Company(
            name=f"Figures {number}", slug=f"figures-{run}-{number}",
            schema_name=f"t_figures{run}{number}", state=Company.State.ACTIVE, created_at=AT,
        )
        for number in range(count)
    )  # fmt: skip
    accounts = Account.objects.bulk_create(
        Account(company=company, currency="USD", legal_name=company.name, created_at=AT)
        for company in made
    )
    Subscription.objects.bulk_create(
        Subscription(
            account=account, price=prices[number % 3 == 0], seats=1 + number % 40, anchor=AT,
            period_start=AT, period_end=AT + 30 * DAY, created_at=AT,
        )
        for number, account in enumerate(accounts)
    )  # fmt: skip
