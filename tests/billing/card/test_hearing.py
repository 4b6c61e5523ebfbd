"""Events that come shuffled, twice, late or never: what stands here is what stands there."""

import datetime as dt
import random
import threading

import pytest
from django.db import connection
from django.utils import timezone
from psycopg.sql import SQL, Identifier

from billing import ledger, mirror, outbox, remote, renting
from billing.models import Invoice, Payment, ProviderEvent
from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from tests import conftest
from tests.billing.card.conftest import (
    account_of,
    bills_of,
    deliver,
    live_of,
    rent_by_card,
)
from tests.billing.conftest import empty_books, make_trial
from tests.conftest import NOON

ALL_SEEDS = tuple(range(10))
COMPANIES, STEPS = 4, 12


@pytest.fixture(scope="module")
def companies(database):
    """Made once: the peer forgets them before each test, so their books are emptied too."""
    return [make_trial() for _each in range(COMPANIES)]


def live_through(card, scopes, chance, at) -> dt.datetime:
    """Changes at the provider that we are not told of by our own acts: time, and its dashboard."""
    api = card.stripe()
    for _step in range(STEPS):
        scope = chance.choice(scopes)
        account = account_of(scope)
        (found,) = [s for s in card.objects("subscription") if s["customer"] == account.provider_id]
        act = chance.randrange(4)
        if act == 0 and found["status"] == "active":
            item = found["items"]["data"][0]
            api.v1.subscriptions.update(
                found["id"], {"items": [{"id": item["id"], "quantity": chance.randint(1, 30)}],
                              "proration_behavior": "always_invoice"},
            )  # fmt: skip
        elif act == 1:
            card.decline(account.provider_id, chance.choice([None, "generic_decline"]))
        elif act == 2 and found["status"] == "active":
            api.v1.subscriptions.update(
                found["id"], {"cancel_at_period_end": not found["cancel_at_period_end"]}
            )
        else:
            at += dt.timedelta(days=chance.randint(1, 20))
            card.advance(to=int(at.timestamp()))
        if chance.random() < 0.4:
            assert set(deliver(card)) <= {200}
            ledger.work(at=timezone.now())
    return at


def wrong(card, scopes) -> list[str]:
    """Where we say otherwise than the provider."""
    found = []
    for scope in scopes:
        customer = account_of(scope).provider_id
        (there,) = [s for s in card.objects("subscription") if s["customer"] == customer]
        live = live_of(scope)
        is_over = there["status"] == "canceled"
        item = there["items"]["data"][0]
        ours = None if live is None else (live.provider_status, live.seats,
                                          int(live.period_end.timestamp()))  # fmt: skip
        theirs = None if is_over else (there["status"], item["quantity"],
                                       item["current_period_end"])  # fmt: skip
        if ours != theirs:
            found.append(f"subscription: {ours} there {theirs}")
        bills = {b.provider_id: (b.state, b.total) for b in bills_of(scope)}
        for bill in card.objects("invoice"):
            state = {"uncollectible": "open"}.get(bill["status"], bill["status"])
            is_ours = bill["customer"] == customer and bill["number"]
            if is_ours and bills.pop(bill["id"], None) != (state, bill["total"]):
                found.append(f"bill {bill['id']} is {state} there")
        found += [f"bill {key} is only here" for key in bills]
    return found


def repeated(scopes) -> int:
    """Effects that came more than once: a payment written twice for one state of a bill."""
    ids = [scope.id for scope in scopes]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = list(Payment.objects.filter(account__company_id__in=ids).values_list(
            "invoice_id", "amount"))  # fmt: skip
        paid = dict(Invoice.objects.filter(account__company_id__in=ids).values_list("pk", "paid"))
    sums: dict[int, int] = {}
    for bill, amount in rows:
        sums[bill] = sums.get(bill, 0) + amount
    return sum(1 for bill, amount in sums.items() if amount > paid[bill])


@pytest.mark.parametrize("seed", conftest.some_seeds(ALL_SEEDS, usually=3))
def test_demand_04_events_in_any_order(card, companies, say, seed):
    chance = random.Random(seed)  # noqa: S311
    empty_books([scope.id for scope in companies])
    for scope in companies:
        rent_by_card(scope, seats=3)
    card.webhooks(shuffle=True, duplicate=0.3, drop=0.1, seed=seed, held=True)
    at = live_through(card, companies, chance, NOON)
    ledger.fill_gaps(at=at)
    deliver(card)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        told = ProviderEvent.objects.count()
        ProviderEvent.objects.filter(state="waiting").update(not_before=NOON)
    ledger.work(at=at)
    faults, twice = wrong(card, companies), repeated(companies)
    say(f"events: seed={seed}, kept={told}, wrong={len(faults)}, effects twice={twice}")
    assert faults == []
    assert twice == 0


# -- one account, many at once -------------------------------------------------------------------


class Slow:
    """The real provider, of which one answer is held back until a later one is written."""

    def __init__(self, provider, first: threading.Event, later: threading.Event) -> None:
        self.provider, self.first, self.later = provider, first, later
        self.is_used = False

    def fetch(self, customer):
        found = self.provider.fetch(customer)
        if not self.is_used:
            self.is_used = True
            self.first.set()
            assert self.later.wait(10)
        return found


@pytest.mark.parametrize("is_mutant", [False, True])
def test_an_old_answer_does_not_overwrite_a_newer_one(card, company, monkeypatch, is_mutant):
    """Demand 15: without the numbers of the questions the old answer wins."""
    rent_by_card(company, seats=2)
    account = account_of(company)
    first, later = threading.Event(), threading.Event()
    slow = Slow(remote.provider_for(account), first, later)
    monkeypatch.setattr(mirror, "provider_of", lambda _key: slow)
    if is_mutant:
        write, numbers = mirror.write, iter(range(10**6, 10**6 + 9))
        monkeypatch.setattr(
            mirror, "write",
            lambda found, *, account_id, seq, at: write(  # the later write counts as the newer
                found, account_id=account_id, seq=next(numbers), at=at
            ),
        )  # fmt: skip
    thread = threading.Thread(  # noqa: TID251  two at once
        target=lambda: (mirror.refresh(account_id=account.pk, at=NOON), connection.close())
    )
    thread.start()
    assert first.wait(10)
    (there,) = card.objects("subscription")
    item = there["items"]["data"][0]["id"]
    card.stripe().v1.subscriptions.update(there["id"], {"items": [{"id": item, "quantity": 9}]})
    mirror.refresh(account_id=account.pk, at=NOON)
    later.set()
    thread.join()
    assert live_of(company).seats == (2 if is_mutant else 9)


@pytest.fixture
def without_dedupe(card):
    """Events may be written down twice, as long as the test runs."""
    raw = owner_connection()
    raw.ensure_connection()
    table = SQL("ALTER TABLE public.billing_providerevent ")
    ((name, rule),) = raw.connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'public.billing_providerevent'::regclass AND contype = 'u'"
    ).fetchall()
    raw.connection.execute(table + SQL("DROP CONSTRAINT {}").format(Identifier(name)))
    yield
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ProviderEvent.objects.all().delete()
    raw.connection.execute(table + SQL("ADD CONSTRAINT {} {}").format(Identifier(name), SQL(rule)))


def rows_of_an_event_told_twice(card, company) -> list[str]:
    rent_by_card(company)
    card.webhooks(duplicate=1.0)
    card.stripe().v1.customers.update(account_of(company).provider_id, {"name": "Other"})
    assert len(deliver(card)) >= 2
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = ProviderEvent.objects.filter(kind="customer.updated")
        return list(rows.values_list("event_id", flat=True))


def test_the_same_event_twice_is_one_row(card, company):
    names = rows_of_an_event_told_twice(card, company)
    assert len(names) == len(set(names)) > 0


def test_demand_15_without_the_dedupe_an_event_is_kept_twice(card, company, without_dedupe):
    names = rows_of_an_event_told_twice(card, company)
    assert len(names) > len(set(names))


def test_lost_events_are_asked_for(card, company):
    rent_by_card(company, seats=2)
    deliver(card)
    card.webhooks(drop=1.0)
    (there,) = card.objects("subscription")
    item = there["items"]["data"][0]["id"]
    card.stripe().v1.subscriptions.update(there["id"], {"items": [{"id": item, "quantity": 7}]})
    assert deliver(card) == []
    assert live_of(company).seats == 2
    now = dt.datetime.fromtimestamp(card.now(), dt.UTC)
    assert ledger.fill_gaps(at=now) > 0
    ledger.work(at=now + dt.timedelta(seconds=1))
    assert live_of(company).seats == 7


def test_provider_away_puts_events_off_and_gives_up_after_a_while(card, company):
    rent_by_card(company)
    deliver(card)
    ledger.work(at=timezone.now())
    card.stripe().v1.customers.update(account_of(company).provider_id, {"name": "Other"})
    deliver(card)
    card.fault("drop_before", prefix="/v1/", count=1000)
    at = timezone.now()
    for _try in range(ledger.MOST_ATTEMPTS):
        ledger.work(at=at)
        at += ledger.LONGEST_PAUSE
    card.no_faults()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        event = ProviderEvent.objects.filter(kind="customer.updated").latest("pk")
    assert (event.state, event.attempts) == ("dead", ledger.MOST_ATTEMPTS)
    assert ledger.replay(event_id=event.pk, at=at)
    ledger.work(at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        event.refresh_from_db()
    assert event.state == "done"


def test_bodies_are_forgotten_after_a_while(card, company):
    rent_by_card(company)
    deliver(card)
    assert ledger.forget_bodies(at=timezone.now() + ledger.BODY_KEPT) > 0
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not ProviderEvent.objects.filter(body__isnull=False).exists()


def test_a_status_we_do_not_know_changes_nothing(card, company, monkeypatch):
    rent_by_card(company, seats=2)
    monkeypatch.setattr(mirror, "KNOWN", tuple(s for s in mirror.KNOWN if s != "active"))
    renting.cancel(company_id=company.id, reason="", by="A", at=NOON)
    outbox.send_due(at=NOON)
    live = live_of(company)
    assert (live.provider_status, live.seats) == ("active", 2)
