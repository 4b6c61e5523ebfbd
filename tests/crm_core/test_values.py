"""What people send, and what is kept or refused."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from crm_core.fields import lists, values
from crm_core.fields.filters import parse
from crm_core.fields.lists import ListQuery
from crm_core.registry import record_type
from crm_platform.kernel.errors import Invalid
from tests import factories

TODAY = dt.date(2026, 11, 20)


def field(kind, name):
    return record_type(kind).field(name)


@pytest.mark.parametrize(
    ("kind", "name", "given", "kept"),
    [
        ("contact", "email", " a@b.example ", "a@b.example"),
        ("account", "website", "b.example", "https://b.example"),
        ("account", "employees", "1,200", 1200),
        ("deal", "amount", "12,345.678", Decimal("12345.68")),
        ("deal", "close_date", "2026-12-31", dt.date(2026, 12, 31)),
        ("contact", "may_contact", "是", True),
        ("contact", "may_contact", None, False),
        ("contact", "title", "a\x00b", "ab"),
        ("deal", "amount", "", None),
    ],
)
def test_coerce_keeps_what_can_be_read(manager, kind, name, given, kept):
    assert values.coerce(field(kind, name), given, actor=manager) == kept


@pytest.mark.parametrize(
    ("kind", "name", "given"),
    [
        ("contact", "email", "nobody"),
        ("account", "website", "javascript:alert(1)"),
        ("account", "employees", "12.5"),
        ("account", "founded_year", "32768"),
        ("deal", "amount", "NaN"),
        ("deal", "amount", "1e30"),
        ("deal", "close_date", "31.12.2026"),
        ("deal", "close_date", "0001-01-01"),
        ("activity", "due_at", "9999-12-31T23:59:59-14:00"),
        ("deal", "stage", "²"),
        ("deal", "account", "999999999"),
        ("deal", "account", "1; drop table x"),
        ("account", "name", "x" * 201),
        ("account", "name", "  "),
    ],
)
def test_coerce_refuses_the_rest_in_a_sentence_about_the_field(manager, kind, name, given):
    with pytest.raises(Invalid) as refused:
        values.coerce(field(kind, name), given, actor=manager)

    assert refused.value.field == name
    assert str(refused.value).endswith((".", "。"))


def test_a_moment_without_a_zone_is_meant_where_the_person_is(manager):
    with timezone.override("Asia/Taipei"):
        kept = values.coerce(field("activity", "due_at"), "2026-11-20T09:30", actor=manager)
        day = values.coerce(field("activity", "due_at"), "2026-11-20", actor=manager)

    assert kept == dt.datetime(2026, 11, 20, 1, 30, tzinfo=dt.UTC)
    assert day == dt.datetime(2026, 11, 20, 4, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "sort", ["name", "-name", "account", "-account", "-created_at", "birthday"]
)
def test_pages_of_a_list_show_every_record_once_whatever_the_order(manager, sort):
    account = factories.account(manager, name="Alpha")
    wanted = {
        factories.contact(manager, name=f"P{n % 3}", account=account.pk if n % 2 else None).pk
        for n in range(11)
    }
    seen, cursor = [], ""
    while True:
        query = ListQuery(kind=record_type("contact"), sort=sort, cursor=cursor)
        page = lists.page_of(manager, query, today=TODAY, size=3)
        seen += [row["pk"] for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break

    assert [pk for pk in seen if pk in wanted] == list(
        dict.fromkeys(pk for pk in seen if pk in wanted)
    )
    assert wanted <= set(seen)


def test_neighbours_are_the_rows_beside_a_record(manager):
    rows = [factories.contact(manager, name=name) for name in ("zz1", "zz2", "zz3")]
    query = ListQuery(kind=record_type("contact"), sort="name")

    assert lists.neighbours_of(manager, query, rows[1], today=TODAY) == (rows[0].pk, rows[2].pk)


@pytest.mark.parametrize(
    "code",
    [
        "amount.gte.NaN", "amount.is.1e999", "close_date.is.9999-12-31", "close_date.older.²",
        "close_date.in.someday", "name.regex.x", "nothing.is.1", "stage.is.abc", "amount.between.5",
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_refused(manager, code):
    kind = record_type("deal")
    with pytest.raises(Invalid):
        lists.page_of(
            manager, ListQuery(kind=kind, filters=tuple(parse(manager, kind, [code]))), today=TODAY
        )


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("name.contains.orch", 1), ("name.is.orchid", 1), ("amount.gte.500", 1), ("owner.is.me", 1),
        ("owner.is.none", 0), ("amount.between.1|9", 0), ("close_date.in.this_month", 1),
        ("close_date.empty.", 0), ("account.filled.", 0), ("name.not.orchid", 0),
    ],
)  # fmt: skip
def test_filters_find_what_they_say(in_acme, code, count):
    person = factories.user(role="manager")
    kind = record_type("deal")
    factories.deal(person, name="Orchid", amount="750", close_date="2026-11-25")
    query = ListQuery(kind=kind, filters=tuple(parse(person, kind, [code])))

    page = lists.page_of(person, query, today=TODAY)

    assert page.total == count
