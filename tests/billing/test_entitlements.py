"""What a plan allows: who says it, what is refused, what is only warned of, and at which cost."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251  the fault is about threads

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from billing import access, clock, subscribing
from billing.proration import after
from crm_core.fields import services as fields
from crm_core.records.models import Account, Contact
from crm_core.registry import record_type, room
from crm_core.sales import pipeline_services
from crm_core.sales.models import Pipeline
from crm_core.web import services as setting_up
from crm_core.web import usage
from crm_platform.identity.services import tokens
from crm_platform.kernel import limits as kernel_limits
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid, NotFound, PlanLimitReached
from crm_platform.kernel.limits import (
    ENTITLEMENTS,
    HARD,
    SOFT,
    Limit,
    allowance_of,
    limit_of,
)
from tenants import limits, queries
from tenants.models import Company, CompanyEvent, CompanyLimit
from tests import factories
from tests.benchmarks.billing_parts import entitlement_seconds
from tests.billing.conftest import (
    add_account,
    allow,
    make_plan,
    make_trial,
    next_version,
    now_of,
    owner_of,
    price_in,
    rent,
)
from tests.conftest import NOON
from tests.exchange.conftest import bring_in, counts, csv_bytes, issues

DAY = dt.timedelta(days=1)


# -- who says it ---------------------------------------------------------------------------------


def test_default_plan_limits_nothing_it_holds(trial):
    rent(trial)
    scope = now_of(trial)
    assert scope.limits == ()
    assert [allowance_of(kind, scope) for kind in ENTITLEMENTS] == [None] * 4
    assert limit_of(Limit.IMPORTS, scope) == 10


def test_operator_goes_before_plan_and_plan_before_settings(small):
    assert allowance_of(Limit.CONTACTS, small) == 3
    assert limit_of(Limit.IMPORTS, small) == 4
    assert limit_of(Limit.IMPORT_ROWS, small) == 300_000
    more = allow(small, "contacts", 500)
    assert allowance_of(Limit.CONTACTS, more) == 500
    assert limit_of(Limit.IMPORTS, more) == 4
    again = allow(small, "contacts", None)
    assert allowance_of(Limit.CONTACTS, again) == 3
    assert dict(queries.find_host(small.host).scope.limits)["contacts"] == 3


def test_limit_of_an_operator_ends_by_itself_and_is_put_away_later(small):
    moment = NOON + 3 * DAY
    allow(small, "contacts", 500, expires_at=moment)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert dict(queries.own_limits(small.id, at=moment - DAY)) == {"contacts": 500}
        assert queries.own_limits(small.id, at=moment) == ()
        assert limits.forget_expired(at=moment - DAY) == 0
        assert limits.forget_expired(at=moment) == 1
        assert limits.forget_expired(at=moment) == 0
        assert not CompanyLimit.objects.filter(company_id=small.id).exists()
        event = CompanyEvent.objects.get(company_id=small.id, verb="limit.ended")
    assert event.facts == {"limit": "contacts", "value": 500, "reason": "Asked", "by": "Petra"}


def test_end_that_is_past_is_refused(small):
    with pytest.raises(Invalid) as refused:
        allow(small, "contacts", 9, expires_at=NOON)
    assert refused.value.field == "expires_on"


def test_limits_follow_the_plan_as_it_changes_and_go_when_it_ends(small):
    big = make_plan(amount=9000, limits={"contacts": 50})
    _quote, sealed = subscribing.quote_price(
        company_id=small.id, price_id=price_in(big).pk, at=NOON
    )
    subscribing.accept(company_id=small.id, quote=sealed, by="Ann", at=NOON)
    assert now_of(small).limits == (("contacts", 50),)
    subscribing.plan_price(
        company_id=small.id, price_id=price_in(make_plan(limits={"contacts": 7})).pk, by="Ann",
        at=NOON,
    )  # fmt: skip
    clock.run(at=after(NOON, "month"))
    assert now_of(small).limits == (("contacts", 7),)
    subscribing.cancel(company_id=small.id, reason="", by="Ann", at=after(NOON, "month"))
    clock.run(at=after(NOON, "month", 2))
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Company.objects.get(pk=small.id).plan_limits == {}


def test_sweep_mends_what_a_crash_left_untold(small):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=small.id).update(plan_limits={"contacts": 99})
    stray = make_trial()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=stray.id).update(plan_limits={"contacts": 1})
    access.sweep(at=NOON)
    assert allowance_of(Limit.CONTACTS, now_of(small)) == 3
    assert now_of(stray).limits == ()


# -- hard limits ---------------------------------------------------------------------------------


def test_full_plan_refuses_one_more_and_nothing_else(small):
    owner = owner_of(small)
    kept = [add_account(small, f"Firm {n}") for n in range(3)]
    for kind in ("account", "contact"):
        with tenancy.unit_of_work(small), pytest.raises(PlanLimitReached) as refused:
            factories.record(kind, owner, name="Fourth")
        assert "contacts and companies: 3 at most" in str(refused.value)
        assert "An owner sees under Settings, Billing" in str(refused.value)
    with tenancy.unit_of_work(small):
        kind = record_type("account")
        fields.edit_record(kind=kind, record=kept[0], values={"city": "Kiel"}, actor=owner, at=NOON)
        batch, _count = fields.delete_records(kind=kind, ids=[kept[0].pk], actor=owner, at=NOON)
        factories.contact(owner, name="In its place")
        fields.undo_batch(batch=batch, actor=owner, at=NOON)  # an undo is never refused
        assert Account.objects.filter(deleted_at=None).count() == 3
        factories.deal(owner, name="Deals are not counted")


def test_pipelines_and_own_fields_are_limited_where_they_are_made(small):
    owner = owner_of(small)

    def field(label):
        return setting_up.add_field(
            record_type="deal", label=label, kind="text", options=[], is_required=False,
            help_text="", actor=owner, at=NOON,
        )  # fmt: skip

    with tenancy.unit_of_work(small):
        there = Pipeline.objects.filter(archived_at=None).count()
        for number in range(2 - there):
            pipeline_services.add_pipeline(name=f"P{number}", actor=owner, at=NOON)
        made = field("Colour")
    with tenancy.unit_of_work(small), pytest.raises(PlanLimitReached, match="pipelines: 2"):
        pipeline_services.add_pipeline(name="Third", actor=owner, at=NOON)
    with tenancy.unit_of_work(small), pytest.raises(PlanLimitReached, match="fields of your own"):
        field("Size")
    with tenancy.unit_of_work(small):
        setting_up.archive_field(field=made, actor=owner, at=NOON)
        field("Size")


def test_starting_point_that_brings_more_than_the_plan_holds_is_refused_whole(small):
    owner = owner_of(small)
    with tenancy.unit_of_work(small):
        before = usage.counted()
    with tenancy.unit_of_work(small), pytest.raises(PlanLimitReached, match="fields of your own"):
        setting_up.apply_template(key="manufacturing", actor=owner, at=NOON)
    with tenancy.unit_of_work(small):
        now = usage.counted()
        assert (now["pipelines"], now["custom_fields"]) == (
            before["pipelines"], before["custom_fields"],
        )  # fmt: skip


def test_import_fills_the_plan_and_says_which_rows_found_no_room(small, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = owner_of(small)
    rows = [("Name", "Mail"), *((f"Firm {n}", f"f{n}@example.com") for n in range(6)),
            ("Firm 5 again", "f5@example.com")]  # fmt: skip
    add_account(small, "Firm 0")
    with tenancy.unit_of_work(small):
        job = bring_in("account", csv_bytes(*rows), owner, columns=["name", "email"],
                       identify="email", known="update")  # fmt: skip
        told = issues(job)
        assert counts(job) == (2, 0, 0, 5)
        assert Account.objects.count() == 3
    assert {outcome for _row, outcome, _reason in told} == {"failed"}
    assert all("contacts and companies: 3 at most" in reason for *_more, reason in told)


def test_linked_companies_an_import_would_make_count_too(small, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = owner_of(small)
    rows = [("Name", "Company"), ("Ann", "Acme"), ("Ben", "Acme"), ("Cy", "Other")]
    with tenancy.unit_of_work(small):
        job = bring_in("contact", csv_bytes(*rows), owner, columns=["name", "account"],
                       identify="name", links="create")  # fmt: skip
        assert counts(job)[0] == 2
        assert (Contact.objects.count(), Account.objects.count()) == (2, 1)


def test_import_of_nothing_but_new_records_is_refused_before_it_begins(small, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = owner_of(small)
    rows = [("Name",), *((f"Firm {n}",) for n in range(4))]
    with tenancy.unit_of_work(small), pytest.raises(PlanLimitReached, match="room for 3 more"):
        bring_in("account", csv_bytes(*rows), owner, columns=["name"], identify="")
    with tenancy.unit_of_work(small):
        assert not Account.objects.exists()


def test_api_answers_402_with_the_sentence(small):
    for number in range(3):
        add_account(small, f"Firm {number}")
    owner = owner_of(small)
    with tenancy.unit_of_work(small):
        _row, key = tokens.make_token(
            user=owner, name="t", scope="write", days=30, at=timezone.now()
        )
    answer = Client(headers={"host": small.host}).post(
        "/api/v1/accounts/", {"name": "Fourth"}, content_type="application/json",
        headers={"authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert answer.status_code == 402
    assert "contacts and companies: 3 at most" in answer.json()["detail"]


def test_last_place_is_taken_once_by_many_at_once(small, say):
    owner, gate = owner_of(small), threading.Barrier(12)

    def one(number):
        gate.wait()
        try:
            with tenancy.unit_of_work(small):
                factories.account(owner, name=f"Rush {number}")
        except PlanLimitReached:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(one, range(12)))
    with tenancy.unit_of_work(small):
        there = Account.objects.count()
    say(f"last place: asked=12, free=3, taken={sum(outcomes)}, above={max(there - 3, 0)}")
    assert (sum(outcomes), there) == (3, 3)


def test_without_its_lock_the_last_place_is_taken_twice(small, monkeypatch):
    """The queue is what does it: two that count before either is kept both find a place."""
    owner, both = owner_of(small), threading.Barrier(2)
    for number in range(2):
        add_account(small, f"Firm {number}")
    count = room.count

    def counted(limit):
        found = count(limit)
        both.wait(timeout=20)
        return found

    def one(number):
        try:
            with tenancy.unit_of_work(small):
                factories.account(owner, name=f"Rush {number}")
        finally:
            connections.close_all()

    monkeypatch.setattr(kernel_limits, "_queue_up", lambda kind: None)
    monkeypatch.setattr(room, "count", counted)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(2)))
    monkeypatch.undo()
    with tenancy.unit_of_work(small):
        assert Account.objects.count() == 4


# -- cost, and what is never sold ----------------------------------------------------------------


def test_demand_14_entitlement_check_warm_asks_nothing_and_is_fast(small, say):
    scope = queries.find_host(small.host).scope
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with tenancy.unit_of_work(scope), CaptureQueriesContext(connection) as asked:
        assert allowance_of(Limit.CONTACTS) == 3
        assert allowance_of(Limit.CUSTOM_FIELDS) == 1
    assert len(asked) == 0
    seconds = entitlement_seconds(scope)
    say(f"demand 14: warm entitlement check {seconds * 1e6:.2f} µs, 0 queries")
    assert seconds < 50e-6


def test_unlimited_company_counts_nothing_when_it_makes_a_record(
    trial, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    rent(trial)
    scope, owner = now_of(trial), owner_of(trial)
    with tenancy.unit_of_work(scope):
        factories.account(owner, name="Warm")
        with CaptureQueriesContext(connection) as asked:
            factories.account(owner, name="Cold")
    text = " ".join(query["sql"] for query in asked).lower()
    assert "count(" not in text
    assert "advisory" not in text


def test_security_and_approval_are_never_bound_to_a_plan():
    """Every kind is an amount of something; safety, rights, history and approvals are no kinds."""
    amounts = {
        "api_requests", "api_key_requests", "long_jobs", "imports", "import_rows", "import_mb",
        "contacts", "pipelines", "custom_fields", "storage_mb",
    }  # fmt: skip
    assert {kind.value for kind in Limit} == amounts
    assert set(HARD) | set(SOFT) == set(ENTITLEMENTS)
    for upsell in ("sso", "second_factor", "audit_days", "approvals", "roles", "backups"):
        with pytest.raises((Invalid, NotFound)):
            make_plan(limits={upsell: 1})


def test_version_of_a_plan_changes_nothing_for_who_has_the_old_one(small):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        plan_id = subscribing.live(small.id).price.version.plan_id
    next_version(plan_id, amount=1000, limits={"contacts": 1})
    access.sweep(at=NOON)
    assert allowance_of(Limit.CONTACTS, now_of(small)) == 3
