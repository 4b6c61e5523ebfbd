"""Who leaves takes the bills along: each as PDF, all as CSV and JSON, and nobody else's."""

import csv
import datetime as dt
import io
import json
import zipfile

import pytest
from django.utils import timezone

from billing import subscribing
from billing.models import Invoice
from crm_core.leaving import billed, services
from crm_core.leaving.models import ExitPackage
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tests.billing.conftest import make_trial, owner_of, rent
from tests.conftest import NOON

PASSWORD = "correct horse battery"


@pytest.fixture
def house(database, tmp_path, settings):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return make_trial()


def package_of(scope):
    person = owner_of(scope)
    with tenancy.unit_of_work(scope):
        actor = User.objects.get(pk=person.pk)
        asked = services.ask_package(actor=actor, password=PASSWORD, at=timezone.now())
    with tenancy.choose(scope):
        services.build(package_id=asked.pk, clock=timezone.now)
    with tenancy.unit_of_work(scope):
        made = ExitPackage.objects.get(pk=asked.pk)
        return zipfile.ZipFile(io.BytesIO(made.file.read()))


def test_every_bill_is_in_the_package(house, monkeypatch):
    monkeypatch.setattr(billed, "A_PAGE", 2)
    other = make_trial()
    rent(other, seats=9)
    rent(house, seats=5, currency="TWD")
    for seats in (6, 7):
        at = NOON + seats * dt.timedelta(hours=1)
        _q, sealed = subscribing.quote_seats(company_id=house.id, seats=seats, at=at)
        subscribing.accept(company_id=house.id, quote=sealed, by="Ann", at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        bills = list(
            Invoice.objects.filter(account__company_id=house.id).order_by("pk")
            .values_list("number", "total")
        )  # fmt: skip

    archive = package_of(house)
    numbers = [number for number, _total in bills]
    pdfs = [name for name in archive.namelist() if name.endswith(".pdf")]
    assert pdfs == [f"invoices/{number}.pdf" for number in numbers]
    assert all(archive.read(name).startswith(b"%PDF-") for name in pdfs)
    text = archive.read("invoices/invoices.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["number"], row["total"]) for row in rows] == [
        (number, f"{total / 100:.2f}") for number, total in bills
    ]
    told = json.loads(archive.read("invoices/invoices.json"))
    assert [line["quantity"] for bill in told for line in bill["lines"]] == [5, 1, 1]
    assert told[0]["buyer"]["name"] == "Firma GmbH"
    assert json.loads(archive.read("manifest.json"))["rows"]["invoices/invoices.csv"] == 3


def test_company_that_was_never_billed_has_no_such_part(house):
    assert [name for name in package_of(house).namelist() if name.startswith("invoices/")] == []
