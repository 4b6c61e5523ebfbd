"""Checks of what is kept beside the database (T7, T9, T12): cache, process, signatures, Redis."""

import re
from typing import Any

from django.core.cache import cache
from redis import Redis

from crm_core.fields import catalogue
from crm_platform.kernel import signing, snapshot, tenancy
from crm_platform.kernel.errors import Invalid, NoCompany
from crm_platform.ui import kept
from tests.kernel.figures import Figures

Pair = tuple[tenancy.Scope, tenancy.Scope]
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SHARED_KEYS = {
    r"celery(\x06\x16\d)?": "the queue of messages, whose headers name the company",
    r"_kombu\.binding[._].*": "which queues there are",
    r"unacked(_index|_mutex)?": "messages in a worker's hands",
    r"celery-task-meta-.*": "never written: results are ignored",
}
"""Keys without a company, and why."""


def cached(pair: Pair, *, keys: int) -> Figures:
    """Keys filled by one company and asked for by the other, and by nobody (T7)."""
    found = Figures()
    one, other = pair
    with tenancy.choose(one):
        for number in range(keys):
            cache.set(f"wall-{number}", one.slug)
    for number in range(keys):
        with tenancy.choose(other):
            found.judge(is_right=cache.get(f"wall-{number}") is None, note=f"hit {number}")
    with tenancy.choose(other):
        cache.delete_many([f"wall-{number}" for number in range(keys)])
    with tenancy.choose(one):
        left = cache.get_many([f"wall-{number}" for number in range(keys)])
        found.judge(is_right=len(left) == keys, note="the other one emptied it")
        cache.delete_many(list(left))
    try:
        cache.get("wall")
        found.judge(is_right=False, note="a key without a company")
    except NoCompany:
        found.judge(is_right=True)
    return found


def kept_in_the_process(pair: Pair, *, turns: int) -> Figures:
    """Snapshots and kept parts of pages of two companies of one version, in turn."""
    found = Figures()
    loaded = snapshot.Snapshot(lambda: tenancy.current().slug)
    for turn in range(turns):
        for scope in pair:
            with tenancy.choose(scope):
                snapshot.know_version(3)
                found.judge(is_right=loaded.get() == scope.slug, note="snapshot crossed")
                part = kept.keep(kept.key_of("wall", turn % 3), lambda: tenancy.current().slug)
                found.judge(is_right=str(part) == scope.slug, note="a kept part crossed")
    for scope in pair:
        with tenancy.unit_of_work(scope):
            names = {choice.label for choice in catalogue.tags().values()}
        found.judge(is_right=names == {scope.slug}, note=f"tags {names}")
    return found


def _opens(call: Any) -> bool:
    try:
        call()
    except Invalid:
        return False
    return True


def signed(pair: Pair) -> Figures:
    """What one company sealed, for every purpose, opened by the other, the platform, or later."""
    found = Figures()
    one, other = pair
    for purpose in ("reset", "invite", "unsubscribe", "file"):
        with tenancy.choose(one):
            text = signing.seal(purpose, {"id": 1})

        def open_it(purpose: str = purpose, text: str = text, age: int = 60) -> Any:
            return signing.unseal(purpose, text, max_age_seconds=age, refusal="no")

        for scope in (other, tenancy.PLATFORM):
            with tenancy.choose(scope):
                found.judge(is_right=not _opens(open_it), note=f"{purpose} opened at {scope.slug}")
        with tenancy.choose(one):
            found.judge(is_right=_opens(open_it), note="the control does not open")
            again = not _opens(lambda: open_it(purpose="another"))
            found.judge(is_right=again, note="opened for another purpose")
            found.judge(is_right=not _opens(lambda: open_it(age=-1)), note="too old")
    return found


def keys_in_redis(url: str) -> tuple[Figures, int]:
    """Every key in Redis: a company's, or one of the list; and how many companies' there are."""
    found, of_companies = Figures(), 0
    client = Redis.from_url(url)
    for raw in client.scan_iter(count=1000):
        key = raw.decode("utf-8", "replace")
        is_companys = re.match(rf"{UUID}:", key) is not None
        of_companies += is_companys
        listed = any(re.fullmatch(pattern, key) for pattern in SHARED_KEYS)
        found.judge(is_right=is_companys or listed, note=key[:80])
    return found, of_companies
