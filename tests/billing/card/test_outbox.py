"""Commands under kill -9 and a provider that fails in every way: each is done once."""

import datetime as dt
import os
import random
import select
import signal
import subprocess
import sys
import uuid
from collections import Counter

import pytest
from django.conf import settings as service

from billing import commands, outbox
from billing.models import Account, Command
from crm_platform.kernel import tenancy
from tenants.models import Company
from tests import conftest
from tests.conftest import NOON, unique
from tests.stripe_peer.client import KEY

ALL_SEEDS, ACCOUNTS, EACH = (11, 12, 13, 14, 15), 20, 20
FAULTS = ["drop_before", "drop_after", "saved_500", "applied_500", "unsaved_500", "429", "409"]
AFTER_A_KILL = outbox.LEASE + dt.timedelta(seconds=1)
KILLS, MOST_ROUNDS = 40, 80
"""So many senders of a seed are killed; then they may come to the end."""


@pytest.fixture
def senders(card):
    """`senders(*mutants)` → a process that sends in children (see `sender`)."""
    started = []

    def make(*mutants):
        places = f"{service.BASE_DIR}:{service.BASE_DIR / 'platform'}"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.billing.card.sender", *mutants], cwd=service.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "crm_platform.settings_test",
                 "PYTHONPATH": places, "RAPPORT_TEST_DATABASE": conftest.TEST_DATABASE,
                 "STRIPE_KEY": KEY, "STRIPE_WEBHOOK_SECRETS": "whsec_x",
                 "STRIPE_ADDRESS": card.url},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield make
    for process in started:
        process.stdin.close()
        process.wait(timeout=30)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Command.objects.all().delete()


def accounts(card, count: int) -> list[Account]:
    """So many customers, here and there."""
    made = []
    for _each in range(count):
        customer = card.stripe().v1.customers.create({"name": "Grantee"})
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = Company.objects.create(
                name="Grantee", slug=f"grant-{unique()}", schema_name=f"t_none{unique()}",
                state=Company.State.ERASED, created_at=NOON,
            )  # fmt: skip
            made.append(Account.objects.create(
                company=company, provider="stripe", provider_id=customer.id, currency="USD",
                legal_name="Grantee", created_at=NOON,
            ))  # fmt: skip
    return made


def granted(rows: list[Account], each: int) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for account in rows:
            for number in range(each):
                commands.put(account, commands.Kind.GRANT,
                           {"amount": 100 + number, "currency": "USD", "reason": "r"},
                           by="Olga", at=NOON)  # fmt: skip


def one_round(process, count: int, moment: dt.datetime, seconds: float | None) -> int:
    """Let senders work for a while, then kill them all; how many were killed. None: to the end."""
    process.stdin.write(f"{count} {moment.isoformat()}\n")
    process.stdin.flush()
    children = [int(word) for word in process.stdout.readline().split()]
    over, _w, _x = select.select([process.stdout], [], [], seconds)
    kills = 0
    if not over:
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                continue
    assert process.stdout.readline() == "ended\n"
    return kills


def left(rows: list[Account]) -> int:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Command.objects.filter(account__in=rows, state__in=commands.ON_THE_WAY).count()


def run_to_the_end(card, process, rows, chance, *, rounds=MOST_ROUNDS) -> tuple[int, int]:
    """Kill and start senders until nothing is left; kills and rounds."""
    moment, kills, count = NOON, 0, 0
    while left(rows) and count < rounds:
        count += 1
        pause = chance.uniform(0.1, 0.4) if kills < KILLS else None
        kills += one_round(process, 4, moment, pause)
        # While they are killed just long enough for the lease; then past every pause.
        moment += AFTER_A_KILL if kills < KILLS else dt.timedelta(hours=1)
        if count in (3, 7):
            moment += dt.timedelta(hours=25)  # keys are forgotten there after a day
        card.advance(to=int(moment.timestamp()))
    return kills, count


def outcome(card, rows) -> Counter:
    """What the provider has beside what was to be done."""
    there = Counter(
        each["metadata"]["command_id"] for each in card.objects("customer_balance_transaction")
    )
    found = Counter(duplicates=sum(count - 1 for count in there.values()))
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for state, payload in Command.objects.filter(account__in=rows).values_list(
            "state", "payload"
        ):
            found["stuck"] += state != "done"
            found["lost"] += payload["command_id"] not in there
            found["commands"] += 1
    return found


@pytest.mark.parametrize("seed", conftest.some_seeds(ALL_SEEDS, usually=1))
def test_demand_03_outbox_under_kills(card, senders, say, seed):
    rows = accounts(card, ACCOUNTS)
    granted(rows, EACH)
    card.fault_rate(0.3, kinds=FAULTS, seed=seed, prefix="/v1/customers")
    kills, rounds = run_to_the_end(card, senders(), rows, random.Random(seed))  # noqa: S311
    faults = sum(card.no_faults().values())
    found = outcome(card, rows)
    say(
        f"outbox killed: seed={seed}, kills={kills}, rounds={rounds}, faults={faults},"
        f" commands={found['commands']}, duplicates={found['duplicates']}, lost={found['lost']},"
        f" stuck={found['stuck']}"
    )
    assert (found["duplicates"], found["lost"], found["stuck"]) == (0, 0, 0)
    assert kills >= KILLS
    assert faults >= 60


@pytest.mark.parametrize(("mutant", "harm"), [("new-key", "duplicates"), ("never-look", "stuck")])
def test_demand_15_without_the_key_or_the_look_it_goes_wrong(card, senders, say, mutant, harm):
    """A new key a try does things twice; a failure that is kept there is never got over."""
    rows = accounts(card, 5)
    granted(rows, 8)
    kinds = ["drop_after", "applied_500"] if mutant == "new-key" else ["saved_500"]
    card.fault_rate(0.4, kinds=kinds, seed=5, prefix="/v1/customers", method="POST")
    run_to_the_end(card, senders(mutant), rows, random.Random(5), rounds=8)  # noqa: S311
    card.no_faults()
    found = outcome(card, rows)
    say(f"outbox mutant {mutant}: {dict(found)}")
    assert found[harm] > 0


def test_newer_wishes_replace_those_that_were_not_sent(card):
    (account,) = accounts(card, 1)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for name in ("a", "b", "c"):
            account.legal_name = name
            commands.tell_buyer(account, by="x", at=NOON)
        states = list(account.commands.values_list("state", flat=True))
    assert states == ["replaced", "replaced", "waiting"]
    assert outbox.send_due(at=NOON) == 1
    assert card.object(account.provider_id)["name"] == "c"


def test_what_is_given_up_is_looked_for_before_it_is_sent_again(card):
    (account,) = accounts(card, 1)
    granted([account], 1)
    outbox.send_due(at=NOON)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        command = account.commands.get()
        account.commands.update(state="dead", key=uuid.uuid4().hex)
    assert outbox.try_again(command_id=command.pk, at=NOON) is not None
    assert outbox.send_due(at=NOON) == 1
    assert len(card.objects("customer_balance_transaction")) == 1
    assert outbox.try_again(command_id=command.pk, at=NOON) is None


def test_one_accounts_commands_go_in_their_order_and_others_do_not_wait(card):
    slow, quick = accounts(card, 2)
    granted([slow], 2)
    granted([quick], 1)
    card.fault("drop_before", prefix=f"/v1/customers/{slow.provider_id}")
    assert outbox.send_due(at=NOON) == 2
    with tenancy.unit_of_work(tenancy.PLATFORM):
        states = [list(a.commands.values_list("state", flat=True)) for a in (slow, quick)]
    assert states == [["waiting", "waiting"], ["done"]]
    outbox.send_due(at=NOON + dt.timedelta(minutes=1))
    amounts = [each["amount"] for each in card.objects("customer_balance_transaction")]
    assert amounts == [-100, -100, -101]
