"""The permission matrix: roles × acts × kinds of record × relations, by page and by API.

What must come out stands in `tests/permissions/table.py`, denials row by row; kinds of record come
from the registry, addresses of settings from the resolver.
"""

import logging
from collections import Counter

import pytest
from django.conf import settings

from crm_core.registry import record_types
from crm_platform.identity.roles import ABILITIES
from tenants import queries
from tests.isolation import probes
from tests.isolation.addresses import every_address
from tests.isolation.companies import remove_twin
from tests.permissions import acts, limits, table
from tests.permissions.stage import play_of, relations_of


@pytest.fixture(scope="module")
def play(database):
    made = play_of("matrix")
    yield made
    remove_twin(made.scope)


@pytest.fixture(scope="module")
def tally():
    return Counter()


@pytest.fixture(autouse=True)
def hosts_stay_known(monkeypatch):
    """Looking a host up takes the platform's unit of work, which a probe's own has no room for."""
    monkeypatch.setattr(queries, "HOST_CACHE_SECONDS", 3600)
    queries.forget_hosts()


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Thousands of refusals are no news."""
    for name in ("rapport.request", "django.request", "rapport.api"):
        monkeypatch.setattr(logging.getLogger(name), "disabled", True)


@pytest.fixture(autouse=True)
def no_throttle(settings):
    settings.COMPANY_LIMITS = {
        **settings.COMPANY_LIMITS, "api_requests": 10**9, "api_key_requests": 10**9,
    }  # fmt: skip


class Cells:
    """Counts cells and keeps the wrong ones, in words."""

    def __init__(self, tally):
        self.tally, self.wrong = tally, []

    def say(self, what, *, expected, came):
        self.tally["cells"] += 1
        self.tally["allowed" if expected else "denied"] += 1
        if expected != came:
            self.tally["wrong"] += 1
            self.wrong.append(f"{what}: {'allowed' if came else 'refused'}, should not be")

    def demand_right(self):
        if self.wrong:
            pytest.fail(f"{len(self.wrong)} wrong cells:\n" + "\n".join(self.wrong[:100]))


@pytest.fixture
def cells(tally):
    return Cells(tally)


def bulk_of(cast):
    return () if cast.is_system else ("records.bulk",)


@pytest.mark.parametrize("cast", table.casts(), ids=lambda cast: cast.name)
def test_role_may_do_exactly_what_the_table_says(play, cells, cast):
    play.give(cast, abilities=bulk_of(cast))
    for kind in record_types():
        for channel, each in acts.EACH.items():
            for act, do in each.items():
                if act in cast.tries and acts.ONLY.get(act, kind.name) == kind.name:
                    try_each_relation(play, cells, cast, kind, channel, act, do)
            if "create" in cast.tries:
                with play.undone():
                    came = acts.CREATE[channel](play, kind)
                what = f"{cast.name}, {channel}: create {kind.name}"
                cells.say(what, expected=cast.may_create, came=came)
        for name, (act, ask, only) in acts.WHOLE.items():
            if act in cast.tries and (not only or kind.name in only):
                look_for_each_relation(play, cells, cast, kind, name, act, ask)

    cells.demand_right()


def try_each_relation(play, cells, cast, kind, channel, act, do):
    for relation in relations_of(kind):
        with play.undone():
            came = do(play, kind, play.records[kind.name][relation])
        what = f"{cast.name}, {channel}: {act} {relation} {kind.name}"
        cells.say(what, expected=cast.may_act(act, relation), came=came)


def look_for_each_relation(play, cells, cast, kind, name, act, ask):
    with play.undone():
        shown = ask(play, kind)
    for relation in relations_of(kind):
        came = f"{relation} {kind.name}" in shown
        what = f"{cast.name}, {name} shows {relation} {kind.name}"
        cells.say(what, expected=cast.may_act(act, relation), came=came)


def test_table_knows_every_system_role_verb_and_ability():
    from crm_platform.identity.roles import LEVELS, SYSTEM_ROLES, VERBS

    assert set(table.SYSTEM) == {spec.key for spec in SYSTEM_ROLES}
    assert table.VERBS == VERBS
    assert set(table.REACH) == set(LEVELS)
    assert set(table.HOLDERS) == {*ABILITIES, table.OWNERS_ONLY}


def ability_of(route):
    """The ability the table gives an address; the longest prefix counts."""
    if route in table.EVERYBODYS:
        return None
    fitting = [prefix for prefix in table.ABILITY_OF if route.startswith(prefix)]
    return table.ABILITY_OF[max(fitting, key=len)] if fitting else ""


def guarded_addresses():
    """Every address that needs an ability; a settings page the table forgot fails the test."""
    found = []
    for address in every_address(settings.TENANT_URLCONF):
        ability = ability_of(address.route)
        if address.route.startswith("settings/") and ability == "":
            pytest.fail(f"tests/permissions/table.py says nothing of /{address.route}")
        if ability:
            found.append((address, ability))
    return found


def may_open(play, address):
    """Whether the person gets past the door of an address, whatever is behind it."""
    values = probes.own_values_of_nobody()
    statuses = []
    for path in address.paths(values)[:1]:
        for method in ("GET", "POST"):
            with play.undone():
                statuses.append(play.page.send(method, path).status_code)
    return 403 not in statuses


@pytest.mark.parametrize("name", table.SYSTEM)
def test_settings_open_to_the_roles_the_table_names(play, cells, name):
    play.give(table.Cast(name, {}, is_system=True))
    for address, ability in guarded_addresses():
        expected = name in table.HOLDERS[ability]
        cells.say(f"{name}: /{address.route}", expected=expected, came=may_open(play, address))

    cells.demand_right()


@pytest.mark.parametrize("ability", ABILITIES)
def test_one_ability_opens_its_own_settings_and_no_others(play, cells, ability):
    free = dict.fromkeys(table.VERBS, "all")
    play.give(table.Cast("matrix", free), abilities=(ability,))
    for address, needed in guarded_addresses():
        came = may_open(play, address)
        cells.say(f"only {ability}: /{address.route}", expected=needed == ability, came=came)

    cells.demand_right()


def test_nobody_without_an_ability_bulk_edits_or_shares(play, cells):
    free = dict.fromkeys(table.VERBS, "all")
    for abilities in ((), ("records.bulk",)):
        play.give(table.Cast("matrix", free), abilities=abilities)
        for kind in record_types():
            with play.undone():
                pk = play.records[kind.name]["own"]
                came = acts.page_bulk_edit(play, kind, pk)
            cells.say(f"{abilities}: bulk {kind.name}", expected=bool(abilities), came=came)

    cells.demand_right()


# -- fields that a role hides or only reads -------------------------------------------------------


@pytest.fixture(scope="module")
def secrets_of(play):
    """A record of each kind whose every text is a word of its own: kind → (id, field → word)."""
    return limits.records_with_secrets(play)


@pytest.mark.parametrize("limit", ["", "read", "hidden"])
def test_limited_fields_are_hidden_or_unchanged_everywhere(play, cells, secrets_of, limit):
    free = dict.fromkeys(table.VERBS, "all")
    closed = {kind: dict.fromkeys(words, limit) for kind, (_pk, words) in secrets_of.items()}
    play.give(table.Cast("matrix", free), abilities=(), limits=closed if limit else {})
    for kind in record_types():
        pk, words = secrets_of[kind.name]
        for name, text in limits.places_of(play, kind, pk, words).items():
            for field, word in words.items():
                if limit == "hidden":
                    what = f"hidden {kind.name}.{field} in {name}"
                    cells.say(what, expected=False, came=word in text)
        shown = "".join(limits.places_of(play, kind, pk, words).values())
        for field, word in words.items():
            if limit != "hidden":
                what = f"{limit or 'free'} {kind.name}.{field} somewhere"
                cells.say(what, expected=True, came=word in shown)
            for channel, write in limits.WRITES.items():
                with play.undone():
                    came = write(play, kind, pk, field)
                what = f"{limit or 'free'}, {channel}: change {kind.name}.{field}"
                cells.say(what, expected=not limit, came=came)

    cells.demand_right()


def test_every_cell_was_right(tally, say):
    say(
        f"permissions: cells={tally['cells']}, allowed={tally['allowed']},"
        f" denied={tally['denied']}, wrong={tally['wrong']}"
    )
    assert tally["allowed"]
    assert tally["denied"]
    assert tally["wrong"] == 0
