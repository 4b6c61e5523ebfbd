"""The process itself: when it begins, when it ends, and how it keeps time."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251  the fault is about threads

import pytest
import stripe

from tests.stripe_peer.client import ROOT, PeerProcess
from tests.stripe_peer.shop import Shop


def test_a_peer_ends_with_the_process_that_began_it():
    begins = (
        "from tests.stripe_peer.client import PeerProcess; import os; "
        "print(PeerProcess().process.pid, flush=True); os._exit(1)"
    )
    told = subprocess.run(
        [sys.executable, "-c", begins], cwd=ROOT, capture_output=True, text=True, check=False
    )
    # capture_output ends only when nobody holds the pipes any more: the peer holds stderr.
    assert told.stdout.strip().isdigit()
    assert told.returncode == 1


@pytest.fixture
def ticking():
    made = PeerProcess("--ticking")
    yield made.peer
    made.stop()


def test_a_ticking_peer_follows_the_real_time(ticking):
    assert abs(ticking.now() - time.time()) < 5
    shop = Shop(ticking.stripe())
    assert abs(shop.customer().created - time.time()) < 5
    assert shop.subscribe(shop.customer(), shop.price()).status == "active"


def test_many_at_once_with_one_key_make_one(peer):
    def create(_):
        api = peer.stripe()
        return api.v1.customers.create({"email": "a@b.cc"}, {"idempotency_key": "same"}).id

    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(create, range(64)))
    assert len(made) == len(peer.objects("customer")) == 1


def test_the_peer_is_quick_enough_for_a_thousand_customers(peer, shop, say):
    """Reconciling is tried on a thousand; making and listing them must not take long."""
    price = shop.price()
    api = peer.stripe()
    began = time.perf_counter()
    for each in range(100):
        customer = api.v1.customers.create(
            {"email": f"{each}@example.com", "payment_method": "pm_card_visa",
             "invoice_settings": {"default_payment_method": "pm_card_visa"}}
        )  # fmt: skip
        api.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": price.id, "quantity": 3}]}
        )
    made = time.perf_counter() - began
    began = time.perf_counter()
    found = list(api.v1.subscriptions.list({"limit": 100}).auto_paging_iter())
    listed = time.perf_counter() - began
    assert len(found) == 100
    say(f"Stripe peer: {200 / made:.0f} writes a second, 100 subscriptions listed in "
        f"{listed * 1000:.0f} ms")  # fmt: skip
    assert made < 30
    assert listed < 3


def test_the_sdk_has_the_version_of_the_contract(peer):
    assert peer.stripe().v1.products.list().last_response.headers["Stripe-Version"] == (
        stripe.api_version
    )
