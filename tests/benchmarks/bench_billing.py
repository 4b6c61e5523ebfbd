"""Billing under load: last seats over HTTP, what Stripe tells us, limits, a comparison, figures."""

import argparse
import hashlib
import hmac
import json
import os
import statistics
import sys
import threading
import time
from queue import Empty, SimpleQueue

from tests.benchmarks import fleets
from tests.benchmarks.fleets import say
from tests.stripe_peer.client import KEY, Peer, PeerProcess

SECRET = "whsec_benchmark"
HOOK = "/billing/events/stripe/"
THREADS = 32
SENDERS = 8
"""Connections by which Stripe tells us things at once."""


# -- what we are told ----------------------------------------------------------------------------


def events(count: int, version: str) -> list[tuple[bytes, str]]:
    """So many events with their signatures."""
    made, now = [], int(time.time())
    for number in range(count):
        body = json.dumps({
            "id": f"evt_bench{number}", "object": "event", "type": "invoice.paid", "created": now,
            "api_version": version, "livemode": False,
            "data": {"object": {"id": f"in_{number}", "object": "invoice",
                                "customer": f"cus_{number % 50}", "lines": {"data": [{}] * 3}}},
        }).encode()  # fmt: skip
        signed = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        made.append((body, f"t={now},v1={signed}"))
    return made


def intake(port: int, what: list[tuple[bytes, str]]) -> tuple[float, float]:
    """Events a second, and the 99th percentile of their answers in ms."""
    import http.client

    work: SimpleQueue[tuple[bytes, str]] = SimpleQueue()
    for each in what:
        work.put(each)
    times: list[float] = []
    wrong: list[int] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            try:
                body, signature = work.get_nowait()
            except Empty:
                return
            began = time.perf_counter()
            connection.request("POST", HOOK, body, {
                "Host": "testserver", "Stripe-Signature": signature,
                "Content-Type": "application/json"})  # fmt: skip
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - began)
            if answer.status != 200:
                wrong.append(answer.status)

    began = time.perf_counter()
    crowd = [threading.Thread(target=send) for _each in range(SENDERS)]  # noqa: TID251  HTTP only
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    seconds = time.perf_counter() - began
    if wrong:
        raise RuntimeError(f"Refused: {wrong[:5]}")
    return len(what) / seconds, statistics.quantiles(times, n=100)[98] * 1000


# -- the comparison ------------------------------------------------------------------------------


def renters(peer: Peer, made) -> None:
    """A customer with a subscription at the provider for each company, and their books here."""
    from django.utils import timezone

    from billing.models import Account, Price, Subscription
    from crm_platform.kernel import tenancy

    api, now = peer.stripe().v1, timezone.now()
    product = api.products.create({"name": "Standard"})
    there = api.prices.create({
        "product": product.id, "currency": "usd", "unit_amount": 5000,
        "recurring": {"interval": "month"}})  # fmt: skip
    with tenancy.unit_of_work(tenancy.PLATFORM):
        price = Price.objects.filter(currency="USD", interval="month").first()
        Price.objects.filter(pk=price.pk).update(provider_id=there.id)
    for company in made:
        customer = api.customers.create({"name": company.slug, "email": "a@example.com"})
        sold = api.subscriptions.create({
            "customer": customer.id, "items": [{"price": there.id, "quantity": 3}],
            "collection_method": "send_invoice", "days_until_due": 30}).to_dict()  # fmt: skip
        item = sold["items"]["data"][0]
        start, end = (
            timezone.datetime.fromtimestamp(item[name], timezone.get_default_timezone())
            for name in ("current_period_start", "current_period_end")
        )
        with tenancy.unit_of_work(tenancy.PLATFORM):
            account = Account.objects.create(
                company=company, provider="stripe", provider_id=customer.id, currency="USD",
                legal_name=company.name, created_at=now,
            )  # fmt: skip
            Subscription.objects.create(
                account=account, price=price, provider_id=sold["id"], provider_status="active",
                seats=3, anchor=start, period_start=start, period_end=end, created_at=now,
            )  # fmt: skip


def compared() -> tuple[float, int, int]:
    """Seconds, calls and differences of one comparison."""
    from django.utils import timezone

    from billing import reconciling
    from crm_platform.kernel import tenancy

    began = time.perf_counter()
    made = reconciling.compare(at=timezone.now())
    seconds = time.perf_counter() - began
    if made is None or made.error:
        raise RuntimeError(made and made.error)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return seconds, made.calls, made.found.count()


# -- all of it -----------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=200, help="that sell their last seats")
    parser.add_argument("--accounts", type=int, default=1000, help="that are compared")
    parser.add_argument("--figures", type=int, default=5000, help="companies in a day's figures")
    parser.add_argument("--events", type=int, default=4000)
    options = parser.parse_args()
    running = PeerProcess()
    os.environ |= {
        "STRIPE_KEY": KEY, "STRIPE_WEBHOOK_SECRETS": SECRET, "STRIPE_ADDRESS": running.peer.url,
    }  # fmt: skip
    superuser = fleets.begin()
    from django.utils import timezone

    from billing.providers.stripe.client import API_VERSION
    from tenants import queries
    from tenants.upgrades import building
    from tests.benchmarks import billing_figures, billing_parts, seat_race
    from tests.benchmarks.bench_upgrade import companies
    from tests.benchmarks.server import Browser, web_server

    running.peer.reset(at=int(timezone.now().timestamp()))
    release = building.build_release(version="b1", at=timezone.now())
    say(f"{options.companies} companies …")
    made = companies(range(options.companies + 1), release)
    scopes = [queries.scope_of(each, f"{each.slug}.testserver") for each in made]
    hot, many = scopes[0], scopes[1:]
    racers = [seat_race.racer(scope, free=20, tries=40) for scope in many]
    hottest = [seat_race.racer(hot, free=20, tries=400)]
    with web_server({}, workers=2, quiet=True) as server:
        say("what we are told …")
        what = events(options.events, API_VERSION)
        intake(server.port, what[:200])
        rate, p99 = intake(server.port, what[200:])
        began, probe = time.perf_counter(), Browser(server.port, "testserver", "")
        for _turn in range(500):
            probe.get("/healthz")
        bare = 500 / (time.perf_counter() - began)
        say("the last seats …")
        began = time.perf_counter()
        answers = seat_race.race(server.port, racers, tries=40, threads=THREADS)
        race_rate = sum(answers.values()) / (time.perf_counter() - began)
        began = time.perf_counter()
        hot_answers = seat_race.race(server.port, hottest, tries=400, threads=THREADS)
        hot_rate = sum(hot_answers.values()) / (time.perf_counter() - began)
    oversold = seat_race.oversold(many), seat_race.oversold([hot])
    say("limits, figures …")
    check_us = billing_parts.entitlement_seconds(many[0]) * 1_000_000
    figures = billing_figures.snapshot_seconds(options.figures)
    say(f"comparing {options.accounts} accounts …")
    made += companies(range(len(made), options.accounts), release)
    renters(running.peer, made[: options.accounts])
    seconds, calls, differences = compared()
    fleets.end(superuser)
    running.stop()
    result = {
        "events_per_second": round(rate), "events_p99_ms": round(p99, 1),
        "events_to_bare_requests": round(rate / bare, 2),
        "seats": {"tries": sum(answers.values()), "taken": answers[302], "oversold": oversold[0],
                  "per_second": round(race_rate)},
        "hot": {"tries": sum(hot_answers.values()), "taken": hot_answers[302],
                "oversold": oversold[1], "per_second": round(hot_rate)},
        "check_us": round(check_us, 2), "figures_companies": options.figures,
        "figures_seconds": round(figures, 2), "compared": options.accounts,
        "compare_seconds": round(seconds, 1), "compare_calls": calls,
        "compare_differences": differences,
    }  # fmt: skip
    targets = {
        "events ≥ 200/s": rate >= 200, "events p99 < 100 ms": p99 < 100,
        "oversold 0": oversold == (0, 0),
        "every free seat sold": answers[302] == 20 * options.companies and hot_answers[302] == 20,
        "check < 50 µs": check_us < 50, "compare ≤ 60 calls": calls <= 60,
        "compare < 60 s": seconds < 60, "compare finds nothing": differences == 0,
        "figures < 10 s": figures < 10,
    }  # fmt: skip
    missed = [name for name, met in targets.items() if not met]
    sys.stdout.write(
        json.dumps({"name": "billing", "ok": not missed, **result, "missed": missed},
                   ensure_ascii=False) + "\n"
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
