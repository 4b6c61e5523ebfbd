"""What comes in as an event: only what is signed so, now, for this version and mode."""

import hashlib
import hmac
import json
import time

import pytest
from django.test import Client

from billing import ledger
from billing.models import ProviderEvent
from billing.providers.stripe.client import API_VERSION
from crm_platform.kernel import tenancy
from tests.conftest import unique

SECRET, OLD_SECRET = "whsec_new", "whsec_old"
ADDRESS = "/billing/events/stripe/"


@pytest.fixture
def by_card(database, settings):
    """Settings with a key and two secrets, as while one replaces the other."""
    settings.STRIPE = {
        "key": "sk_test_x", "secrets": (SECRET, OLD_SECRET), "address": "", "is_live": False,
        "automatic_tax": False,
    }  # fmt: skip
    return settings


def body_of(**changes) -> bytes:
    facts = {
        "id": f"evt_{unique()}", "object": "event", "type": "invoice.paid",
        "created": int(time.time()), "api_version": API_VERSION, "livemode": False,
        "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1",
                            "hosted_invoice_url": "https://pay.example/x", "client_secret": "s"}},
        **changes,
    }  # fmt: skip
    return json.dumps(facts).encode()


def signed(body: bytes, *, secret=SECRET, age=0, scheme="v1") -> str:
    moment = int(time.time()) - age
    text = f"{moment}.".encode() + body
    return f"t={moment},{scheme}={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


def post(body: bytes, signature: str | None):
    headers = {"host": "testserver"} | ({"stripe-signature": signature} if signature else {})
    return Client(headers=headers).post(ADDRESS, body, content_type="application/json")


def kept(body: bytes) -> int:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return ProviderEvent.objects.filter(event_id=json.loads(body)["id"]).count()


def test_demand_05_signatures(by_card, say):
    body = body_of()
    now = int(time.time())
    good = signed(body)
    wrong = {
        "none": None, "empty": "", "garbage": "x" * 400, "wrong secret": signed(body, secret="no"),
        "old": signed(body, age=301), "future": signed(body, age=-3600),
        "v0 only": signed(body, scheme="v0"), "no moment": good.partition(",")[2],
        "two moments": f"t={now - 9999},{good}", "late moment behind": f"{good},t={now - 9999}",
        "moment of words": good.replace("t=", "t=x"), "altered": signed(body + b" "),
    }  # fmt: skip
    refused = {name: post(body, each).status_code for name, each in wrong.items()}
    assert refused == dict.fromkeys(wrong, 400)
    bodies = {
        "not UTF-8": b"\xff\xfe{}", "no JSON": b"{", "no event": b"[]", "empty": b"",
        "other version": body_of(api_version="2020-08-27"), "live": body_of(livemode=True),
        "no object": body_of(data={}),
    }  # fmt: skip
    refused = {name: post(each, signed(each)).status_code for name, each in bodies.items()}
    assert refused == dict.fromkeys(bodies, 400)
    big = body_of(pad="x" * 1024 * 1024)
    assert post(big, signed(big)).status_code == 413
    assert kept(body) == 0
    rotated = body_of()
    answers = [post(body, good).status_code, post(body, good).status_code,
               post(rotated, signed(rotated, secret=OLD_SECRET)).status_code]  # fmt: skip
    assert answers == [200, 200, 200]
    say(f"signatures: refused={len(wrong) + len(bodies) + 1}, kept={kept(body) + kept(rotated)}")
    assert (kept(body), kept(rotated)) == (1, 1)


def test_nothing_that_opens_a_payment_is_kept(by_card):
    body = body_of()
    post(body, signed(body))
    with tenancy.unit_of_work(tenancy.PLATFORM):
        event = ProviderEvent.objects.get(event_id=json.loads(body)["id"])
    assert "https://pay.example" not in json.dumps(event.body)
    assert "client_secret" not in json.dumps(event.body)
    assert (event.customer, event.object_id, event.state) == ("cus_1", "in_1", "waiting")


def test_without_a_key_nobody_is_heard(database, settings):
    settings.STRIPE = {**settings.STRIPE, "key": ""}
    body = body_of()
    assert post(body, signed(body)).status_code == 403
    assert Client(headers={"host": "testserver"}).get(ADDRESS).status_code == 405


def test_an_event_of_nobody_we_know_is_settled_without_asking(by_card):
    body = body_of()
    post(body, signed(body))
    from django.utils import timezone

    ledger.work(at=timezone.now())
    with tenancy.unit_of_work(tenancy.PLATFORM):
        event = ProviderEvent.objects.get(event_id=json.loads(body)["id"])
    assert event.state == "ignored"
