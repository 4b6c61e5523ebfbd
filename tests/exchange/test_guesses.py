"""Guessing columns, and reading what people write."""

import datetime as dt
import io
from zoneinfo import ZoneInfo

import pytest

from crm_core.exchange import guessing, parsing, reading, targets
from crm_core.registry import record_type

NAMES = ["name", "email", "mobile", "title", "account"]


def guessed(tmp_path, kind, text):
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8")
    shape = reading.read_file(path, io.BytesIO())
    fields = list(targets.kind_of(kind).fields)
    return {
        c.header: g.to for c, g in zip(shape.columns, guessing.guess(shape, fields), strict=True)
    }


@pytest.mark.parametrize(
    ("kind", "header", "found"),
    [
        ("contact", "Full Name,E-mail Address,Tel.,Job Title,Organisation",
         ["name", "email", "phone", "title", "account"]),
        ("contact", "姓名,電子郵件,手機,職稱,公司名稱", NAMES),
        ("contact", "姓名,邮箱,手机,职位,公司名称", NAMES),
        ("contact", "first_name,LAST NAME,Work Phone", ["first_name", "last_name", "phone"]),
        ("account", "account,sector,office_location,subsidiary_of",
         ["name", "industry", "country", "parent"]),
        ("deal", "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_value",
         ["source_id", "owner", "product", "account", "stage", "opened_date", "amount"]),
        ("person", "sales_agent,manager,regional_office", ["name", "manager", "team"]),
    ],
)  # fmt: skip
def test_guess_knows_headers_in_three_languages(in_acme, tmp_path, kind, header, found):
    names = header.split(",")
    choice = guessed(tmp_path, kind, f"{header}\n{',' * len(names)}beyond\n")

    assert [choice[name] for name in names] == found


def test_guess_knows_mail_and_phone_by_their_values(in_acme, tmp_path):
    text = "who,a,b\nAnna,anna@x.example,+886 2 2234 5678\nBen,ben@x.example,+44 20 7946 0018\n"

    assert guessed(tmp_path, "contact", text) == {"who": "", "a": "email", "b": "phone"}


def test_guess_takes_no_number_field_for_words(in_acme, tmp_path):
    assert guessed(tmp_path, "account", "Employees of the month\nmany\nfew\n") == {
        "Employees of the month": ""
    }


@pytest.mark.parametrize(
    ("dates", "order"), [(("1/2/2026", "3/14/2026"), "mdy"), (("1/2/2026", "14/3/2026"), "dmy"),
                         (("1/2/2026", "3/4/2026"), "dmy")],
)  # fmt: skip
def test_date_order_is_what_the_whole_column_says(dates, order):
    column = reading.ColumnFacts("Date")
    for each in dates:
        column.see(each)

    assert guessing.date_order(column) == order


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-03-01", "dmy", (2026, 3, 1)), ("2026/3/1", "dmy", (2026, 3, 1)),
        ("1/3/2026", "dmy", (2026, 3, 1)), ("3/1/2026", "mdy", (2026, 3, 1)),
        ("2026年3月1日", "dmy", (2026, 3, 1)), ("民國115年3月1日", "dmy", (2026, 3, 1)),
        ("２０２６年３月１日", "dmy", (2026, 3, 1)), ("20260301", "dmy", (2026, 3, 1)),
        ("1 Mar 2026", "dmy", (2026, 3, 1)), ("March 1st, 2026", "dmy", (2026, 3, 1)),
        ("1.3.26", "dmy", (2026, 3, 1)), ("31/12/2026", "mdy", None), ("soon", "dmy", None),
        ("2026-02-30", "dmy", None),
    ],
)  # fmt: skip
def test_as_date_reads_what_people_write(text, order, day):
    found = parsing.as_date(text, order)

    assert (found[0] if found else None) == (dt.date(*day) if day else None)


def test_as_moment_is_in_the_company_s_zone_unless_it_says_another():
    taipei = ZoneInfo("Asia/Taipei")

    assert parsing.as_moment("2026/3/1 下午 3:04", "dmy", taipei) == dt.datetime(
        2026, 3, 1, 15, 4, tzinfo=taipei
    )
    assert parsing.as_moment("2026-03-01T05:06:07Z", "dmy", taipei).utcoffset() == dt.timedelta(0)
    assert parsing.as_moment("2026-03-01", "dmy", taipei).hour == 12
    assert parsing.as_moment("2026-03-01 25:00", "dmy", taipei) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.56", "1234.56"), ("1.234,56", "1234.56"), ("NT$ 1,200", "1200"), ("$5", "5"),
        ("1 234", "1234"), ("(12)", "-12"), ("3.5萬", "35000.0"), ("USD 12", "12"),
        ("12 EUR", "12"),
        ("€1.234.567", "1234567"), ("¥１，２００", "1200"), ("1'234'567", "1234567"),
        ("0,5", "0.5"),
        ("-7", "-7"), ("US$ 9.50", "9.50"), ("1,234,567元", "1234567"),
    ],
)  # fmt: skip
def test_as_number_takes_signs_and_groups_away(text, number):
    assert parsing.as_number(text) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [("是", True), ("YES", True), ("否", False), ("✓", True), ("無", False), ("perhaps", None)],
)
def test_as_boolean_knows_three_languages(text, value):
    assert parsing.as_boolean(text) is value


def test_every_kind_offers_its_own_fields_only(manager):
    names = {field.name for field in targets.fields_for(manager, record_type("deal"))}

    assert {"stage", "amount", "created_at", "source_id"} <= names
    assert not {"closed_at", "updated_at", "next_step_at"} & names
