"""T16-T18: hosts nobody proved open nothing; a rename or a given back name leads nobody astray."""

import datetime as dt

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from crm_platform.identity.models import Session
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError, Invalid
from tenants import queries
from tenants.addresses import dns, own, renaming, rules
from tenants.models import Company, Domain
from tests import factories
from tests.conftest import NOON, unique

DAY = dt.timedelta(days=1)


def at(host, path="/sign-in/", method="get", **headers):
    return getattr(Client(headers={"host": host, **headers}), method)(path)


def address(host):
    return django_settings.ENVIRONMENT.address_of(host)


def prove(house, names, host, when=NOON):
    """Claim and prove a host for a company."""
    claim = own.claim(company_id=house.scope.id, host=host, actor="owner", at=when)
    names.records[rules.txt_name(host)] = ["v=spf1 -all", rules.txt_value(claim.token)]
    return own.prove(company_id=house.scope.id, host=host, actor="owner", at=when)


def may_have_certificate(host):
    answer = Client(headers={"host": "testserver"}).get(f"/internal/tls-allowed?domain={host}")
    return answer.status_code == 200


# -- the address with us ---------------------------------------------------------------------------


def test_rename_by_an_admin_leads_everybody_to_the_new_address(house):
    old, slug = house.scope.host, f"new-{unique()}"
    client = house.client(house.owner)

    answer = client.post("/settings/address/rename/", {"slug": slug})

    new = f"{slug}.testserver"
    assert answer.headers["Location"] == f"{address(new)}/sign-in/?next=/"
    moved = at(old, "/accounts/?f=a&page=2")
    assert moved.status_code == 308
    assert moved.headers["Location"] == f"{address(new)}/accounts/?f=a&page=2"
    assert at(old, "/sign-in/", "post").status_code == 410
    problem = at(old, "/api/v1/accounts/")
    assert (problem.status_code, problem.json()["code"]) == (410, "moved")
    assert address(new) in problem.json()["detail"]
    assert at(new).status_code == 200
    assert (may_have_certificate(old), may_have_certificate(new)) == (True, True)
    assert house.events("address.renamed")[0].facts["to"] == slug


def test_session_from_before_the_rename_is_dead(house):
    name, secret = factories.session_cookie(house.scope, house.owner)
    services_slug = f"new-{unique()}"
    house.client(house.owner).post("/settings/address/rename/", {"slug": services_slug})

    replayed = Client(headers={"host": f"{services_slug}.testserver"})
    replayed.cookies[name] = secret

    assert replayed.get("/me/").status_code == 302
    with tenancy.unit_of_work(house.now):
        assert Session.objects.count() == 0


def test_old_name_is_never_anothers_and_ends_after_ninety_days(house, neighbour):
    old = house.scope.slug
    now = timezone.now()
    renaming.rename(company_id=house.scope.id, slug=f"a-{unique()}", actor="x", at=now - 91 * DAY)

    queries.forget_hosts()
    assert at(f"{old}.testserver").status_code == 404
    assert not may_have_certificate(f"{old}.testserver")
    with pytest.raises(Invalid, match="Another company"):
        renaming.rename(company_id=neighbour.scope.id, slug=old, actor="x", at=now)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not queries.slug_is_free(old)

    renaming.rename(company_id=house.scope.id, slug=old, actor="x", at=now)

    assert at(f"{old}.testserver").status_code == 200


def test_names_are_not_hoarded(house):
    for number in range(3):
        renaming.rename(company_id=house.scope.id, slug=f"h{number}-{unique()}", actor="x", at=NOON)
    with pytest.raises(DomainError, match="Three old addresses"):
        renaming.rename(company_id=house.scope.id, slug=f"h9-{unique()}", actor="x", at=NOON)


def test_address_is_checked_while_it_is_typed_and_refused_at_the_form(house, neighbour):
    client = house.client(house.owner)

    def said(value):
        return client.get("/settings/address/check/", {"value": value}).json()["ok"]

    assert [said(v) for v in (f"free-{unique()}", neighbour.scope.slug, "admin", "x", "a_b")] == [
        True, False, False, False, False,
    ]  # fmt: skip
    answer = client.post("/settings/address/rename/", {"slug": neighbour.scope.slug})
    assert answer.status_code == 422
    assert "Another company has this address name" in answer.content.decode()
    assert house.client(house.member).get("/settings/address/").status_code == 403


# -- own host names --------------------------------------------------------------------------------


def test_own_host_is_shown_claimed_proven_leads_and_is_given_back(house, names):
    host = f"crm.{unique()}.example"
    client = house.client(house.owner)
    client.post("/settings/address/claim/", {"host": f" {host.upper()}. "})
    page = client.get("/settings/address/").content.decode()
    assert f"_rapport.{host}" in page
    value = page.partition("rapport-verify=")[2].partition("<")[0]
    assert at(host).status_code == 404
    refused = client.post("/settings/address/prove/", {"host": host})
    assert "The TXT record is not there yet" in refused.content.decode()
    assert not may_have_certificate(host)
    names.records[f"_rapport.{host}"] = [f"rapport-verify={value}"]

    client.post("/settings/address/prove/", {"host": host})

    assert may_have_certificate(host)
    assert at(host, "/accounts/").headers["Location"] == f"{address(house.scope.host)}/accounts/"
    client.post("/settings/address/lead/", {"host": host})
    assert at(host).status_code == 200
    assert at(house.scope.host, "/x/?y=1").headers["Location"] == f"{address(host)}/x/?y=1"
    key = house.key()
    program = Client(headers={"host": house.scope.host, "authorization": f"Bearer {key}"})
    assert program.get("/api/v1/accounts/").status_code == 200
    at_own = Client(headers={"host": host})
    at_own.post("/sign-in/", {"email": house.owner.email, "password": "correct horse battery"})
    assert at_own.post("/settings/address/release/", {"host": host}).status_code == 302
    assert at(host).status_code == 404
    assert not may_have_certificate(host)
    assert at(house.scope.host).status_code == 200
    verbs = [event.verb for event in house.events("domain.")]
    assert verbs == ["domain.claimed", "domain.proven", "domain.primary", "domain.released"]


def test_t16_forwarding_headers_and_spellings_choose_no_other_host(house, neighbour, names, say):
    host = f"crm.{unique()}.example"
    prove(neighbour, names, host)
    own.lead(company_id=neighbour.scope.id, host=host, actor="x", at=NOON)
    probes = leaks = 0
    for header in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-HTTP-Host"):
        for value in (host, f"host={host}", neighbour.scope.host):
            probes += 1
            text = at(house.scope.host, **{header: value}).content.decode()
            leaks += neighbour.scope.name in text or house.scope.name not in text
    spellings = (
        f"{host}.", host.upper(), f"www.{host}", f"{host}:443", f"{host}..", f"x.{host}",
        f"{host}@{house.scope.host}", f"{host},{house.scope.host}", f"{host}%00",
    )  # fmt: skip
    for said in spellings:
        for method in ("get", "post"):
            probes += 1
            answer = at(said, "/sign-in/", method)
            spelled = said.lower().split(":")[0].removeprefix("www.").rstrip(".")
            served = answer.status_code == 200 and neighbour.scope.name in answer.content.decode()
            leaks += served and spelled != host
            leaks += answer.status_code == 301 and address(host) not in answer.headers["Location"]
    control = neighbour.scope.name in at(host).content.decode()
    say(f"T16 own hosts: probes={probes}, leaks={leaks}, control={control}")
    assert (leaks, control) == (0, True)


def test_t17_host_that_is_unknown_claimed_ended_or_given_back_shows_nothing(house, names, say):
    host, claimed, ended = (f"crm.{unique()}.example" for _ in range(3))
    prove(house, names, host)
    own.release(company_id=house.scope.id, host=host, actor="x", at=NOON)
    own.claim(company_id=house.scope.id, host=claimed, actor="x", at=NOON)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Domain.objects.create(
            company_id=house.scope.id, host=ended, kind="old", is_primary=False,
            redirects_until=timezone.now() - DAY,
        )  # fmt: skip
    queries.forget_hosts()
    probes = leaks = 0
    for each in (host, claimed, ended, f"a.{claimed}", "nobody.testserver", "example.com"):
        for path in ("/", "/sign-in/", "/api/v1/accounts/", "/theme.css"):
            probes += 1
            answer = at(each, path)
            leaks += answer.status_code != 404 or house.scope.name in answer.content.decode()
        leaks += may_have_certificate(each)
        probes += 1
    say(f"T17 unknown hosts: probes={probes}, leaks={leaks}")
    assert leaks == 0


def test_t18_host_is_nobodys_without_the_proof_of_this_very_attempt(house, neighbour, names, say):
    mine, free = f"crm.{unique()}.example", f"crm.{unique()}.example"
    prove(house, names, mine)
    token_of_house = own.claim(company_id=house.scope.id, host=free, actor="x", at=NOON).token
    tries, refused, who = [], 0, {"company_id": neighbour.scope.id, "actor": "x", "at": NOON}
    # Names that are taken, ours, or written to look like another.
    names_said = (
        mine, mine.upper(), f"{mine}.", f" {mine} ", house.scope.host, "testserver",
        "operators.testserver", f"www.{mine}", "crm.exаmple", "127.0.0.1", "localhost",
        "com.tw", "*.example.com", "a..example.com", "a_b.example.com", f"{mine}:443",
        "https://crm.example.com", "аcme.testserver", "x" * 70 + ".example.com",
    )  # fmt: skip
    tries += [lambda said=said: own.claim(host=said, **who) for said in names_said]

    def with_texts(*texts):
        def go():
            own.claim(host=free, **who)
            names.records[rules.txt_name(free)] = list(texts)
            own.prove(host=free, **who)

        return go

    tries += [
        with_texts(),
        with_texts(rules.txt_value(token_of_house)),
        with_texts("rapport-verify="),
        with_texts(f"x{rules.txt_value(token_of_house)}"),
        lambda: own.prove(host=mine, **who),
        lambda: own.release(host=mine, **who),
        lambda: own.lead(host=mine, **who),
    ]
    first = own.claim(host=free, **who).token
    own.claim(host=free, **who)
    names.records[rules.txt_name(free)] = [rules.txt_value(first)]
    tries.append(lambda: own.prove(host=free, **who))
    own.release(company_id=house.scope.id, host=mine, actor="x", at=NOON)
    for days in (0, 1, 89):
        later = {**who, "at": NOON + days * DAY}
        tries.append(lambda later=later: own.claim(host=mine, **later))
    wrong = []
    for number, each in enumerate(tries):
        try:
            each()
            wrong.append(number)
        except DomainError:
            refused += 1
    say(f"T18 takeover: refused={refused}/{len(tries)}")
    assert wrong == []
    own.claim(company_id=neighbour.scope.id, host=mine, actor="x", at=NOON + 91 * DAY)
    assert prove(neighbour, names, mine, NOON + 91 * DAY).company_id == neighbour.scope.id


def test_two_companies_may_claim_and_the_one_with_the_record_has_it(house, neighbour, names):
    host = f"crm.{unique()}.example"
    squatter = own.claim(company_id=house.scope.id, host=host, actor="x", at=NOON)

    prove(neighbour, names, host)

    names.records[rules.txt_name(host)] = [rules.txt_value(squatter.token)]
    with pytest.raises(Invalid, match="in use already"):
        own.prove(company_id=house.scope.id, host=host, actor="x", at=NOON)


def test_name_is_looked_at_weekly_and_let_go_when_its_record_is_gone(house, names):
    host = f"crm.{unique()}.example"
    prove(house, names, host)
    own.lead(company_id=house.scope.id, host=host, actor="x", at=NOON)
    assert own.check_again(at=NOON + 6 * DAY) == 0
    assert own.check_again(at=NOON + 7 * DAY) == 1
    assert own.check_again(at=NOON + 7 * DAY) == 0

    names.broken = True
    own.check_again(at=NOON + 14 * DAY)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Domain.objects.get(host=host).failing_since is None
    names.broken = False
    del names.records[rules.txt_name(host)]
    for day in range(21, 34):
        own.check_again(at=NOON + day * DAY)
    assert house.letters(at=NOON + 21 * DAY) == [f"The record that proves {host} is missing"]
    assert at(host).status_code == 200
    own.check_again(at=NOON + 36 * DAY)

    assert at(host).status_code == 404
    assert at(house.scope.host).status_code == 200
    assert house.events("domain.released")[0].actor == "clock"


def test_page_shows_and_changes_ones_own_names_only(house, neighbour, names):
    host, claimed = f"crm.{unique()}.example", f"crm.{unique()}.example"
    prove(house, names, host)
    own.claim(company_id=house.scope.id, host=claimed, actor="x", at=NOON)
    client = neighbour.client(neighbour.owner)
    page = client.get("/settings/address/").content.decode()
    assert neighbour.scope.host in page
    for foreign in (host, claimed, house.scope.host):
        assert foreign not in page
        for act in ("prove", "release", "lead"):
            answer = client.post(f"/settings/address/{act}/", {"host": foreign})
            assert answer.status_code == 422
    assert at(host, "/x/").status_code == 308
    mine = house.client(house.owner).get("/settings/address/").content.decode()
    assert (host in mine, claimed in mine) == (True, True)


def test_silent_name_server_proves_nothing(house, names):
    names.broken = True
    assert dns.publishes("_rapport.crm.example.com", "x") == dns.Answer.UNKNOWN
    host = f"crm.{unique()}.example"
    own.claim(company_id=house.scope.id, host=host, actor="x", at=NOON)
    with pytest.raises(DomainError, match="did not answer"):
        own.prove(company_id=house.scope.id, host=host, actor="x", at=NOON)


def test_removed_companys_hosts_are_kept_from_others(house, neighbour, names):
    from tenants import services

    host = f"crm.{unique()}.example"
    prove(house, names, host)
    services.remove(company_id=house.scope.id, at=NOON)

    assert at(host).status_code == 404
    with pytest.raises(Invalid, match="given back not long ago"):
        own.claim(company_id=neighbour.scope.id, host=host, actor="x", at=NOON + DAY)
    assert house.row.state == Company.State.DELETED
