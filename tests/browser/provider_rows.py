"""A company that pays by card, and what operators see of the payment service.

`… provider_rows cus_1`: the company's customer there.
"""

import datetime as dt
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")

import django

django.setup()

from django.utils import timezone

from billing import commands
from billing.models import Account, Command, Comparison, Difference, ProviderEvent
from crm_platform.kernel import tenancy
from tenants import services as tenants


def _company(at: dt.datetime) -> Account:
    owner = tenants.NewOwner(name="Kit Lo", email="kit@quay.example", password_hash="!")
    company = tenants.request_company(
        name="Quay Cards", slug="quaycards", owner=owner, language="en", currency="USD",
        time_zone="Asia/Taipei", at=at,
    )  # fmt: skip
    tenants.build(company_id=company.pk, at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Account.objects.create(
            company=company, provider="stripe", provider_id=sys.argv[1], currency="USD",
            legal_name="Quay Cards Ltd", created_at=at,
        )  # fmt: skip


def main() -> None:
    now = timezone.now()
    account = _company(now)
    later = now + dt.timedelta(hours=5)

    def ago(minutes: int) -> dt.datetime:
        return now - dt.timedelta(minutes=minutes)

    with tenancy.unit_of_work(tenancy.PLATFORM):
        for number, (kind, payload, state, error) in enumerate((
            ("buyer", {"buyer": commands.buyer_facts(account)}, Command.State.DEAD,
             "It did not answer: tried twelve times in three days."),
            ("grant", {}, Command.State.DONE, ""),
            ("plan", {}, Command.State.WAITING, ""),
        )):  # fmt: skip
            Command.objects.create(
                account=account, kind=kind, payload=payload, key=f"shown-{number}", state=state,
                keyed_at=ago(60 - number), attempts=1, not_before=later, error=error,
                by="Kit Lo", at=ago(60 - number),
            )  # fmt: skip
        for number, (kind, state) in enumerate((
            ("customer.created", ProviderEvent.State.IGNORED),
            ("invoice.paid", ProviderEvent.State.DONE),
            ("customer.subscription.updated", ProviderEvent.State.WAITING),
        )):  # fmt: skip
            ProviderEvent.objects.create(
                event_id=f"evt_shown{number}", kind=kind, customer="cus_shown", state=state,
                happened_at=ago(9), received_at=ago(9), not_before=later,
            )  # fmt: skip
        for age in (5, 1440, 2880):
            made = Comparison.objects.create(
                began_at=ago(age), ended_at=ago(age - 1), accounts=1, calls=4
            )
            if age == 5:
                Difference.objects.create(
                    comparison=made, account=account, kind="seats", ours="5", theirs="6",
                    provider_id="sub_shown",
                )  # fmt: skip
                Difference.objects.create(
                    comparison=made, kind="stranger", provider_id="cus_stranger",
                    theirs="Nobody Ltd", mended_at=now,
                )  # fmt: skip


if __name__ == "__main__":
    main()
