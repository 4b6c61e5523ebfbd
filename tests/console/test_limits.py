"""Operators see what a company may ask for and what it used, and change it with a reason."""

import datetime as dt

import pytest
from django.utils import timezone

from crm_platform.console.models import CompanyFacts, OperatorEntry
from crm_platform.console.queries import limits as queries
from crm_platform.console.services import limits as services
from crm_platform.kernel import counting, tenancy
from crm_platform.kernel.errors import Invalid, NotAllowed, NotFound
from crm_platform.kernel.limits import Limit, limit_of
from tenants import queries as register
from tenants.models import Company
from tests.conftest import NOON
from tests.console.conftest import client_of, make_person


def set_limit(actor, company, value=7, kind="long_jobs", reason="They asked"):
    services.set_limit(
        company_id=company.id, kind=kind, value=value, reason=reason, actor=actor, at=NOON
    )


def test_company_gets_a_limit_of_its_own_and_loses_it_again(operator, acme, globex):
    body = {"kind": "import_rows", "value": "1000000", "reason": "Moves in with us"}
    assert operator.post(f"/companies/{acme.id}/limits/", body).status_code == 302

    scope = register.working_scope(acme.id)
    assert limit_of(Limit.IMPORT_ROWS, scope) == 1_000_000
    assert register.find_host(acme.host).scope.limits == (("import_rows", 1_000_000),)
    assert register.working_scope(globex.id).limits == ()
    page = operator.get(f"/companies/{acme.id}/").content.decode()
    assert "1,000,000" in page
    assert "Moves in with us" in page

    operator.post(f"/companies/{acme.id}/limits/", {**body, "value": "", "reason": "Moved in"})
    assert limit_of(Limit.IMPORT_ROWS, register.working_scope(acme.id)) == 300_000
    entries = OperatorEntry.objects.filter(verb="company.limited", company_id=acme.id)
    facts = [(each.reason, each.facts) for each in entries.order_by("pk")]
    assert facts == [
        ("Moves in with us", {"import_rows": [None, 1_000_000]}),
        ("Moved in", {"import_rows": [1_000_000, None]}),
    ]


def test_limit_with_an_end_is_shown_with_who_set_it_and_holds_no_longer(operator, acme):
    day = (timezone.now() + dt.timedelta(days=5)).date()
    body = {"kind": "contacts", "value": "50", "reason": "A trade fair", "expires_on": day}
    assert operator.post(f"/companies/{acme.id}/limits/", body).status_code == 302
    page = operator.get(f"/companies/{acme.id}/").content.decode()
    for shown in ("A trade fair", "Petra Platform", f'until <time datetime="{day}">'):
        assert shown in page
    ends = dt.datetime.combine(day, dt.time.max, dt.UTC)
    assert register.own_limits(acme.id, at=ends - dt.timedelta(seconds=1)) == (("contacts", 50),)
    assert register.own_limits(acme.id, at=ends) == ()
    rows = queries.limits(acme.id, plan={"contacts": 7}, used={"contacts": 6}, at=ends)
    row = next(each for each in rows if each.kind == "contacts")
    assert (row.value, row.own, row.is_of_plan, row.used, row.level) == (7, None, True, 6, 80)
    [entry] = OperatorEntry.objects.filter(verb="company.limited", company_id=acme.id)
    assert entry.facts == {"contacts": [None, 50], "until": day.isoformat()}
    late = operator.post(f"/companies/{acme.id}/limits/", {**body, "expires_on": "2020-01-01"})
    assert (late.status_code, "in the future" in late.content.decode()) == (422, True)


def test_use_of_the_plan_stands_beside_its_limit(operator, acme):
    CompanyFacts.objects.update_or_create(
        company_id=acme.id, defaults={"surveyed_at": NOON, "usage": {"contacts": 90}}
    )
    Company.objects.filter(pk=acme.id).update(plan_limits={"contacts": 100})
    page = operator.get(f"/companies/{acme.id}/").content.decode()
    assert "90 used" in page
    assert "100 at most" in page
    assert "Nearly full" in page


def test_same_limit_again_is_no_entry(platform_operator, acme):
    for _number in range(2):
        set_limit(platform_operator, acme)
    assert OperatorEntry.objects.filter(verb="company.limited", company_id=acme.id).count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [({"kind": "nonsense"}, "kind"), ({"value": -1}, "value"), ({"value": 10**9}, "value"),
     ({"reason": " "}, "reason")],
)  # fmt: skip
def test_nonsense_is_refused_at_its_field(platform_operator, acme, change, field):
    with pytest.raises(Invalid) as refused:
        set_limit(platform_operator, acme, **change)
    assert refused.value.field == field


def test_refused_limit_shows_the_page_again_with_the_sentence(operator, acme):
    answer = operator.post(f"/companies/{acme.id}/limits/", {"kind": "imports", "value": "3"})
    assert answer.status_code == 422
    assert '<details class="panel" open>' in answer.content.decode()


def test_only_platform_operators_change_limits(platform_unit, acme):
    person = make_person("support")
    with pytest.raises(NotAllowed):
        set_limit(person, acme)
    page = client_of(person).get(f"/companies/{acme.id}/").content.decode()
    assert "con-limits" in page
    assert f"/companies/{acme.id}/limits/" not in page


def test_unknown_company_is_not_found(platform_operator, acme):
    with pytest.raises(NotFound):
        services.set_limit(
            company_id=tenancy.PLATFORM.id, kind="imports", value=1, reason="r",
            actor=platform_operator, at=NOON,
        )  # fmt: skip


def test_use_of_today_is_shown_and_its_absence_is_said(operator, acme, settings):
    now = timezone.now()
    with tenancy.choose(acme):
        before = queries.used_today(acme.id, at=now).import_rows
        counting.use("import_rows", at=now, count=54_321)
    used = queries.used_today(acme.id, at=now)
    assert used.import_rows == before + 54_321
    assert f"{used.import_rows:,}" in operator.get(f"/companies/{acme.id}/").content.decode()

    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/1"},
    }
    page = operator.get(f"/companies/{acme.id}/")
    assert page.status_code == 200
    assert "Redis does not answer" in page.content.decode()
