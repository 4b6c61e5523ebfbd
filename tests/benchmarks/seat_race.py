"""Very many people invite at once where few seats are free, through the pages over HTTP.

The last seat must be sold once: whoever asks, and through whichever of the server's processes.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from tests.benchmarks.server import Browser

INVITE = "/settings/people/invite/"
TRIES_A_PERSON = 20
"""Fewer than anybody may invite within an hour."""


@dataclass(frozen=True, slots=True)
class Racer:
    """A company with its people who invite: host, (cookies, csrf) each, and the member's role."""

    host: str
    people: tuple[tuple[str, str], ...]
    role: int


def racer(scope, *, free: int, tries: int) -> Racer:
    """Make a company's people, with so many seats free beside theirs."""
    from django.utils import timezone

    from billing.seats import services as seats
    from crm_platform.identity.models import Role
    from crm_platform.kernel import tenancy
    from tests import factories

    count = -(-tries // TRIES_A_PERSON)
    with tenancy.unit_of_work(scope):
        if not Role.objects.exists():
            factories.seed_company()
        people = [factories.user(role="owner") for _each in range(count)]
        used = seats.standing(at=timezone.now()).used
        seats.set_purchased(purchased=used + free, at=timezone.now())
        role = Role.objects.get(key="member").pk
    csrf = "b" * 32
    cookies = (factories.session_cookie(scope, person) for person in people)
    return Racer(
        scope.host, tuple((f"{name}={value}; csrf={csrf}", csrf) for name, value in cookies), role
    )


def race(port: int, racers: Sequence[Racer], *, tries: int, threads: int) -> Counter[int]:
    """`tries` invitations a company from `threads` threads at once; the answers by status."""
    work: SimpleQueue[tuple[Racer, int]] = SimpleQueue()
    for number in range(tries):
        for each in racers:
            work.put((each, number))
    answers: Counter[int] = Counter()
    lock = threading.Lock()

    def invite() -> None:
        while True:
            try:
                each, number = work.get_nowait()
            except Empty:
                return
            cookies, csrf = each.people[number % len(each.people)]
            body = (f"csrfmiddlewaretoken={csrf}&email=new{number}@example.com&role={each.role}"
                    "&team=")  # fmt: skip
            status = Browser(port, each.host, cookies).post(INVITE, body)[0]
            with lock:
                answers[status] += 1

    crowd = [threading.Thread(target=invite) for _each in range(threads)]  # noqa: TID251  HTTP only
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return answers


def oversold(scopes) -> int:
    """Seats taken beyond those that are paid for, in all companies."""
    from django.utils import timezone

    from billing.seats import services as seats
    from crm_platform.kernel import tenancy

    found = 0
    for scope in scopes:
        with tenancy.unit_of_work(scope):
            standing = seats.standing(at=timezone.now())
        found += max(standing.used - (standing.purchased or 0), 0)
    return found
