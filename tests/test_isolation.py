"""The isolation matrix: every address × the other company's ids, cookies, tokens and bodies.

Addresses come from the resolver, kinds of record from the registry, names of inputs from what the
views were seen to read: a new page, API or import is probed without being listed here.
"""

import logging
import os

import pytest
from django.conf import settings
from django.utils.html import escape

from crm_platform.kernel import tenancy
from tenants import queries
from tests import factories
from tests.benchmarks.server import Browser, web_server
from tests.isolation import ledger, matrix, probes
from tests.isolation.addresses import every_address
from tests.isolation.blanks import text_fields
from tests.isolation.companies import SILENT, every_model, make_twin, remove_twin, texts_of
from tests.isolation.platform_things import platform_things
from tests.isolation.probes import Findings, Visitor
from tests.kernel import mutants

NEVER_SHOWN = {
    "SecondFactor": "sealed; operators have one, staff will",
    "RecoveryCode": "hashes",
    "MailToken": "holds an address to confirm; only its mail shows it",
    "OutgoingMail": "mails are sent, no page shows them",
}
OUTBOX = "tenants.demo_mail.OutboxBackend"


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
    """A throttled probe proves nothing."""
    settings.COMPANY_LIMITS = {
        **settings.COMPANY_LIMITS, "api_requests": 10**9, "api_key_requests": 10**9,
    }  # fmt: skip


@pytest.fixture(scope="module")
def both(database):
    pair = (
        make_twin("okapi", "okapi7q", first_id=2_000_001),
        make_twin("quagga", "quagga4z", first_id=5_000_001),
    )
    yield pair
    for twin in pair:
        remove_twin(twin.scope)


@pytest.fixture
def twins(both):
    """Both, with fresh sessions of their owners that must still be good when the test ends."""
    for twin in both:
        twin.cookie = factories.session_cookie(twin.scope, twin.owner)
    yield both
    for twin in both:
        answer = Visitor("control", twin.host, twin.cookie).send("GET", "/me/")
        assert answer.status_code == 200, "The session was lost on the way: nothing was proven"


@pytest.fixture(scope="module")
def tenant_addresses():
    return every_address(settings.TENANT_URLCONF)


@pytest.fixture(scope="module")
def total():
    return Findings()


@pytest.fixture
def found(total):
    """What one test finds; added to the total when it ends."""
    own = Findings()
    yield own
    total.add(own)


@pytest.fixture(scope="module")
def before(both):
    """The checksum of each of the other company's tables before any probe."""
    _own, other = both
    return {other.scope.schema: ledger.checksums(other.scope.schema)}


def no_wrong(found):
    """Every crossing and fault in the words of an assertion."""
    wrong = [*found.crossings, *found.faults]
    # One line for each thing that is wrong, however many probes showed it.
    kinds = {each.partition("(")[0] + each.rpartition("→")[2]: each for each in wrong}
    if wrong:
        pytest.fail(f"{len(wrong)} wrong:\n" + "\n".join(list(kinds.values())[:40]))


def test_both_companies_have_a_row_with_their_word_in_every_table(twins):
    for twin in twins:
        silent = [name for name, holds in texts_of(twin.scope, twin.word).items() if not holds]
        assert not silent, f"{twin.scope.slug} has no canary in {', '.join(silent)}"
    assert abs(twins[0].first_id - twins[1].first_id) >= 1_000_000


def test_own_session_finds_everything_of_ones_own(twins, tenant_addresses, found):
    own, _other = twins
    shown, unreached = matrix.own_things(found, tenant_addresses, own)

    assert not unreached, (
        "No value of the matrix reaches these addresses, so probing them proves nothing; teach "
        f"tests/isolation/probes.py what fills them: {', '.join(unreached)}"
    )
    missing = [m.__name__ for m in every_model() if not is_shown(m, own, shown)]
    assert not missing, f"The control never saw its own {', '.join(missing)}"
    assert found.controls > 50
    no_wrong(found)


def is_shown(model, own, shown):
    """Whether a text of some row of the model stood in the answers."""
    if model.__name__ in SILENT or model.__name__ in NEVER_SHOWN:
        return True
    names = [field.name for field in text_fields(model)]
    with tenancy.unit_of_work(own.scope):
        rows = list(model._default_manager.values_list(*names)) if names else []
    words = {str(text).lower() for row in rows for text in row if own.word in str(text).lower()}
    told = getattr(model, "facts", None) is not None
    return told or any(word in shown or escape(word) in shown for word in words)


def test_own_session_with_the_other_companys_ids_gets_nothing(
    twins, tenant_addresses, found, before
):
    matrix.foreign_ids_at_home(found, tenant_addresses, *twins)

    no_wrong(found)


def test_ids_that_exist_nowhere_are_answered_like_foreign_ones(twins, tenant_addresses, found):
    own, other = twins
    for address in tenant_addresses:
        if not address.has_numbers:
            continue
        foreign = {**probes.own_values(own), "int": [other.first_id], "uuid": [other.scope.id]}
        del foreign["int:view_id"]
        absent = {**foreign, "int": [probes.ABSENT_ID], "uuid": [probes.ABSENT_UUID]}
        pairs = zip(address.paths(foreign), address.paths(absent), strict=True)
        for foreign_path, absent_path in pairs:
            visitor = Visitor("own session", own.host, own.cookie)
            answers = []
            for path in (foreign_path, absent_path):
                with matrix.undone(own.scope):
                    answers.append(visitor.send("POST", path).status_code)
                answers.append(visitor.send("GET", path).status_code)
            found.probes += 4
            if answers[:2] != answers[2:]:
                found.crossings.append(f"{foreign_path} is told from an absent one: {answers}")
    no_wrong(found)


@pytest.mark.parametrize("credential", ["session", "token", "session and token"])
def test_credentials_of_one_company_open_nothing_at_the_other(
    twins, tenant_addresses, found, before, credential
):
    own, other = twins
    cookie = own.cookie if "session" in credential else None
    token = own.token if "token" in credential else ""
    visitor = Visitor(f"{credential} of another company", other.host, cookie, token)
    values = {**probes.own_values(other), "str": list(own.secrets.values())}

    matrix.at_the_other_host(found, tenant_addresses, visitor, values, other)

    no_wrong(found)


def test_stranger_is_shown_the_door_and_the_public_pages(twins, tenant_addresses, found, before):
    _own, other = twins
    visitor = Visitor("nobody", other.host)
    for values in (probes.own_values(other), probes.absent_values(other)):
        no_secret = {**values, "str": ["x" * 43]}
        matrix.at_the_other_host(found, tenant_addresses, visitor, no_secret, other)

    no_wrong(found)


def test_foreign_ids_under_every_name_a_view_reads_are_refused(
    twins, tenant_addresses, found, before
):
    matrix.injections(found, tenant_addresses, *twins)
    matrix.api_injections(found, *twins)

    kept = sum(found.statuses[status] for status in (200, 201, 204, 302))
    assert kept > found.probes / 4, "Nearly every body was refused for its shape: nothing is shown"
    no_wrong(found)


@pytest.fixture
def platform_rows(twins, settings):
    """An operator's cookie, and values that name one of each thing of the platform."""
    settings.EMAIL_BACKEND = OUTBOX
    with platform_things(twins[0]) as (cookie, values):
        yield cookie, values


@pytest.mark.parametrize("name", ["OPERATORS", "PUBLIC"])
def test_addresses_of_the_platform_are_all_reached_by_their_own_people(platform_rows, found, name):
    cookie, values = platform_rows
    addresses = every_address(
        settings.OPERATORS_URLCONF if name == "OPERATORS" else settings.ROOT_URLCONF
    )
    host = getattr(settings, f"{name}_HOST")
    unreached = []
    for address in addresses:
        is_reached = False
        for path in address.paths(values):
            for method in ("GET", "POST"):
                with matrix.undone(tenancy.PLATFORM):
                    answer = Visitor("operator", host, cookie).send(method, path)
                is_reached |= answer.status_code not in (404, 405)
                if probes.wrongdoing(answer):
                    found.faults.append(f"{path} → {probes.wrongdoing(answer)}")
            if is_reached:  # the other values are other things' names
                break
        if not is_reached:
            unreached.append(address.route)

    assert not unreached, f"The matrix has nothing for these addresses: {', '.join(unreached)}"
    found.controls += len(addresses)
    no_wrong(found)


def test_staff_of_a_company_and_strangers_open_nothing_of_the_operators(
    twins, platform_rows, found
):
    own, _other = twins
    _cookie, values = platform_rows
    values = {**values, "str": list(own.secrets.values())}
    before = ledger.checksums("public")
    visitors = [
        Visitor("staff session", settings.OPERATORS_HOST, own.cookie),
        Visitor("staff token", settings.OPERATORS_HOST, None, own.token),
        Visitor("nobody", settings.OPERATORS_HOST),
    ]

    for visitor in visitors:
        addresses = every_address(settings.OPERATORS_URLCONF)
        matrix.at_the_other_host(found, addresses, visitor, values, own)

    assert ledger.changed(before, ledger.checksums("public")) == []
    no_wrong(found)


def test_operators_see_the_register_and_nothing_inside_a_company(twins, platform_rows, found):
    cookie, values = platform_rows
    own, other = twins
    visitor = Visitor("operator", settings.OPERATORS_HOST, cookie)
    for address in every_address(settings.OPERATORS_URLCONF):
        for path in address.paths({**values, "uuid": [own.scope.id, other.scope.id]}):
            answer = visitor.send("GET", path)
            found.probes += 1
            for twin in twins:
                if twin.word in probes.text_of(answer):
                    found.crossings.append(f"operator: {path} shows words of {twin.scope.slug}")
    at_company = Visitor("operator at a company", other.host, cookie)
    matrix.at_the_other_host(
        found, every_address(settings.TENANT_URLCONF), at_company,
        {**probes.own_values(other), "str": ["x" * 43]}, other,
    )  # fmt: skip

    no_wrong(found)


def test_same_holds_over_http_in_another_process(
    twins, tenant_addresses, found, before, servers, database
):
    """Both companies in turn through one worker: its process keeps things for both."""
    own, other = twins
    # The other company's own people may change their own rows: compare until here, and from here.
    schema = other.scope.schema
    assert ledger.changed(before[schema], ledger.checksums(schema)) == []
    environment = {
        **servers.variables(), "DJANGO_SETTINGS_MODULE": "crm_platform.settings_test",
        "RAPPORT_TEST_DATABASE": database, "BASE_DOMAIN": "testserver",
        "PYTHONPATH": os.pathsep.join([".", "platform"]),
    }  # fmt: skip
    with web_server(environment, workers=1) as server:
        cookies = {twin.host: f"{twin.cookie[0]}={twin.cookie[1]}" for twin in twins}
        at_home = {t.host: Browser(server.port, t.host, cookies[t.host]) for t in twins}
        abroad = Browser(server.port, other.host, cookies[own.host])
        for address in tenant_addresses:
            for path in address.paths({**probes.own_values(own), "int": ["{id}"]})[:1]:
                for twin, stranger in ((own, other), (other, own)):
                    status, body = at_home[twin.host].get(path.replace("{id}", str(twin.first_id)))
                    note(found, f"http home {path}", status, body, stranger)
                    found.controls += twin.word.encode() in body.lower()
                status, body = abroad.get(path.replace("{id}", str(other.first_id)))
                note(found, f"http abroad {path}", status, body, other)

    before[schema] = ledger.checksums(schema)
    assert found.controls > 100, "At home over HTTP nothing of one's own was seen"
    no_wrong(found)


def note(found, what, status, body, hidden):
    found.probes += 1
    if hidden.word.encode() in body.lower():
        found.crossings.append(f"{what} shows words of {hidden.scope.slug}")
    if status >= 500:
        found.faults.append(f"{what} → {status}")


@pytest.fixture(scope="module")
def doubles(database):
    """Two companies whose ids are the same: what is kept by id alone would mix them up."""
    pair = tuple(make_twin(name, f"{name}8k", first_id=3_000_001) for name in ("gerenuk", "dikdik"))
    yield pair
    for twin in pair:
        remove_twin(twin.scope)


def in_turn(found, doubles, paths):
    """The same addresses for one and for the other, in one process."""
    for path in paths:
        for twin, stranger in (doubles, doubles[::-1]):
            for headers in ({}, {"hx-request": "true"}):
                answer = Visitor("same ids", twin.host, twin.cookie).send("GET", path, **headers)
                matrix.judge(found, answer, f"same ids: {path}", stranger)
                found.controls += twin.word in probes.text_of(answer)


def test_companies_with_the_same_ids_are_never_mixed_up(doubles, tenant_addresses, found):
    values = {**probes.own_values(doubles[0]), "str": ["x" * 43], "slug:name": ["name"]}
    for address in tenant_addresses:
        in_turn(found, doubles, address.paths(values)[:4])

    assert found.controls > 100
    no_wrong(found)


def test_matrix_sees_a_crossing_when_one_is_made(doubles, monkeypatch):
    """Parts kept in the process without their company: the same probes must turn red."""
    mutants.parts_by_name(monkeypatch, None)
    seen = Findings()
    in_turn(seen, doubles, ("/", "/deals/", "/deals/board/", "/contacts/", "/settings/tags/"))

    assert seen.crossings


def test_nothing_of_the_other_company_was_changed_by_any_probe(
    twins, tenant_addresses, total, before, say
):
    _own, other = twins
    patterns = len(tenant_addresses)
    for urlconf in (settings.ROOT_URLCONF, settings.OPERATORS_URLCONF):
        patterns += len(every_address(urlconf))

    altered = ledger.changed(before[other.scope.schema], ledger.checksums(other.scope.schema))

    say(
        f"isolation: patterns={patterns}, probes={total.probes},"
        f" crossings={len(total.crossings) + len(altered)}, faults={len(total.faults)},"
        f" controls={total.controls}"
    )
    assert altered == []
    no_wrong(total)
