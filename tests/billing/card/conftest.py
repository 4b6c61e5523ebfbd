"""A company that pays by card, and the peer process that takes it for Stripe."""

import datetime as dt

import pytest
import requests
from django.test import Client

from billing import ledger, remote, renting
from billing.models import Account, Command, Invoice, Price, ProviderEvent, Subscription
from billing.providers import MANUAL
from billing.providers.stripe.client import API_VERSION
from crm_platform.kernel import tenancy
from tests.billing.conftest import BUYER, make_trial, price
from tests.conftest import NOON
from tests.stripe_peer.client import KEY
from tests.stripe_peer.fixtures import peer, peer_process  # noqa: F401

DAY = dt.timedelta(days=1)
PAYS, DECLINED, FAILS_LATER, ASKS = (
    "4242424242424242", "4000000000000002", "4000000000000341", "4000002500003155",
)  # fmt: skip
HOOK = "/billing/events/stripe/"
BACK = "http://company.testserver/settings/billing/"


@pytest.fixture
def card(database, settings, peer):  # noqa: F811
    """The service with a key that leads to the peer; the peer's clock stands at noon."""
    made = peer.stripe().v1.webhook_endpoints.create(
        {"url": f"http://testserver{HOOK}", "enabled_events": ["*"], "api_version": API_VERSION}
    )
    settings.STRIPE = {
        "key": KEY, "secrets": (made.secret,), "address": peer.url, "is_live": False,
        "automatic_tax": False,
    }  # fmt: skip
    peer.webhooks(held=True)
    forget_remote_prices()
    yield peer
    forget_renters(at=NOON)


def forget_remote_prices() -> None:
    """Each test's peer is empty: no price is known there yet, and nothing was told."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ProviderEvent.objects.all().delete()
        Price.objects.exclude(provider_id="").update(provider_id="")


def forget_renters(*, at: dt.datetime) -> None:
    """The peer's customers are gone with it: no clock of a later test shall come upon them."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Command.objects.exclude(account__provider=MANUAL).delete()
        Subscription.objects.filter(ended_at=None).exclude(account__provider=MANUAL).update(
            ended_at=at
        )


def fill_in(url: str, **fields: str) -> str:
    """Send a form of the peer's pages; the page that follows, or where it leads."""
    answer = requests.post(url, data=fields, allow_redirects=False, timeout=10)
    return answer.headers.get("Location") or answer.text


def read(url: str) -> str:
    return requests.get(url, timeout=10).text


def rent_by_card(scope, *, seats=5, number=PAYS, at=NOON, **which) -> str:
    """Begin to rent, and give the card on the peer's page; what came of that."""
    url = renting.start(
        company_id=scope.id, price_id=price(**which), seats=seats, buyer=BUYER, by="Ann", at=at,
        provider="stripe", back=BACK,
    )  # fmt: skip
    found = fill_in(url, number=number, email="ann@example.com")
    remote.look_again(company_id=scope.id, at=at)
    return found


def deliver(peer, *, shuffle=False) -> list[int]:  # noqa: F811
    """Post what waits to be told to our address, as the peer's thread would; the answers."""
    client = Client(headers={"host": "testserver"})
    if shuffle:
        peer.webhooks(shuffle=True)
    return [
        client.post(HOOK, each.body.encode(), content_type="application/json",
                    headers={"stripe-signature": each.signature}).status_code
        for each in peer.take()
    ]  # fmt: skip


def hear(peer, *, at) -> None:  # noqa: F811
    """Everything told until now is kept and looked up, at a moment of the test's own."""
    assert set(deliver(peer)) <= {200}
    with tenancy.unit_of_work(tenancy.PLATFORM):
        # They came by the real time, which may be later than the test's.
        ProviderEvent.objects.filter(state="waiting").update(not_before=at)
    ledger.work(at=at)


def pass_days(peer, days: float, *, since=NOON) -> dt.datetime:  # noqa: F811
    """Let the peer's time pass, and hear what came of it; the new time."""
    at = since + days * DAY
    peer.advance(to=int(at.timestamp()))
    hear(peer, at=at)
    return at


def account_of(scope) -> Account:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Account.objects.get(company_id=scope.id)


def live_of(scope) -> Subscription | None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Subscription.objects.select_related("price").filter(account__company_id=scope.id)
        return rows.filter(ended_at=None).first()


def bills_of(scope) -> list[Invoice]:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return list(Invoice.objects.filter(account__company_id=scope.id).order_by("pk"))


@pytest.fixture
def company(card):
    """A company on trial where companies may pay by card."""
    return make_trial()
