"""Each defence once switched off: what it refused must then go through, or it is not tested."""

import pytest

from crm_core.fields.models import Tag
from crm_platform.kernel import tenancy
from crm_platform.kernel.db.company import base
from crm_platform.kernel.errors import DomainError
from tenants.addresses import dns, own
from tenants.erasure import acts, places, running
from tenants.lifecycle import doors
from tenants.models import Company
from tests.conftest import NOON, unique

State = Company.State


def gets_through(act):
    try:
        act()
    except (DomainError, running.NotGone):
        return False
    return True


def writes(house):
    def act():
        with tenancy.unit_of_work(house.now):
            Tag.objects.create(name=unique())

    return act


def always_writable(patch):
    statements = base.scope_statements
    patch.setattr(base, "scope_statements", lambda scope: statements(tenancy.for_keeping(scope)))


def proves_nothing(house):
    def act():
        host = f"crm.{unique()}.example"
        own.claim(company_id=house.scope.id, host=host, actor="x", at=NOON)
        own.prove(company_id=house.scope.id, host=host, actor="x", at=NOON)

    return act


def leaves_files(house):
    def act():
        with tenancy.unit_of_work(tenancy.PLATFORM):
            Company.objects.filter(pk=house.scope.id).update(state=State.CLOSED, state_until=NOON)
        acts.begin_by_retention(company_id=house.scope.id, at=NOON)
        folder = places.folder_of(house.scope.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "left.txt").write_text("left")
        with tenancy.unit_of_work(tenancy.PLATFORM):
            row = house.row.erasures.get()
        running.run(erasure_id=row.pk, at=NOON)

    return act


def shows_pages(house):
    def act():
        if house.client(house.owner).get("/accounts/").status_code != 200:
            raise DomainError("refused")

    return act


MUTANTS = {
    "transactions that are not read-only": (
        State.READ_ONLY, writes, always_writable, True,
    ),
    "any answer of DNS is a proof": (
        State.ACTIVE, proves_nothing,
        lambda patch: patch.setattr(dns, "publishes", lambda *_given: dns.Answer.YES), True,
    ),
    "a closed company's pages are open": (
        State.CLOSED, shows_pages,
        lambda patch: patch.setattr(doors, "refusal_of", lambda *_given: None), True,
    ),
    "files that are not removed": (
        State.ACTIVE, leaves_files,
        lambda patch: patch.setattr(places, "remove_files", lambda _company: None), False,
    ),
}  # fmt: skip
"""Name → the state, what is tried, how the defence is switched off, and what then happens."""


@pytest.mark.parametrize("name", MUTANTS)
def test_defence_switched_off_is_noticed(house, names, monkeypatch, name, say):
    state, make, switch_off, goes_through = MUTANTS[name]
    house.put(state)
    act = make(house)
    sound = gets_through(act) if goes_through else True
    with monkeypatch.context() as patch:
        switch_off(patch)
        broken = gets_through(act)

    say(f"mutant noticed: {name}")
    assert (sound, broken) == (not goes_through, goes_through)
