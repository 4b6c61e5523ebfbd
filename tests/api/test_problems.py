"""Every refusal is a problem document: bad bodies, bad addresses, bad methods, and our own bugs."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_core.registry import record_type
from tests import factories
from tests.api.conftest import demand_problem

FEW = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
HUGE = 10**400
WRONG = (
    None,
    True,
    False,
    0,
    -1,
    1,
    HUGE,
    -HUGE,
    2**31,
    2**63,
    10**17,
    1e308,
    -0.0,
    "",
    " ",
    "x",
    "\x00",
    "a\x00b",
    "\ud800",
    "²",
    "٣",
    "1e999999",
    "-1e999999",
    "NaN",
    "Infinity",
    "9" * 5000,
    "x" * 30_000,
    "0001-01-01",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "2026-02-30",
    "2026-13-01T99:99",
    "a@b",
    "http://",
    "javascript:alert(1)",
    [],
    [[]],
    [None],
    ["x"] * 5000,
    [HUGE],
    {},
    {"a": {"b": {}}},
    [{"id": 1}],
    {"type": "deal", "id": HUGE},
    {"type": None, "id": None},
)
ODD = st.one_of(
    st.sampled_from(
        [value for value in WRONG if not isinstance(value, str) or "\ud800" not in value]
    ),
    st.text(max_size=40),
    st.integers(),
    st.floats(),
    st.dates().map(str),
    st.datetimes().map(str),
    st.lists(st.integers() | st.text(max_size=5), max_size=4),
)


def one_field_of_each_type(kind):
    found = {"about": "about"} if kind.name == "activity" else {}
    for field in kind.fields:
        if field.column:
            column = kind.model._meta.get_field(field.column).get_internal_type()
            found.setdefault((field.kind, field.is_key, column), field.name)
    return list(found.values())


@pytest.mark.parametrize("kind", ["account", "contact", "deal", "activity"])
def test_no_wrong_value_of_any_field_is_a_bug_of_ours(program, manager, kind):
    record = factories.record(kind, manager)
    slug = record_type(kind).slug

    for name in one_field_of_each_type(record_type(kind)):
        body = json.dumps({"name": "n", name: "VALUE"})
        for value in WRONG:
            text = body.replace('"VALUE"', json.dumps(value))
            answer = program.send("PATCH", f"{slug}/{record.pk}/", text, **{"if-match": "*"})
            assert answer.status_code in (200, 400, 422), (
                name,
                str(value)[:60],
                answer.content[:200],
            )
            if answer.status_code != 200:
                demand_problem(answer, answer.status_code)
        assert program.get(f"{slug}/{record.pk}/").status_code == 200
    assert program.get(f"{slug}/?sort=-updated_at").status_code == 200


@FEW
@given(
    body=st.dictionaries(
        st.sampled_from(
            [
                "name",
                "account",
                "stage",
                "pipeline",
                "amount",
                "currency",
                "close_date",
                "tags",
                "owner",
                "team",
                "lost_reason",
                "source",
                "about",
                "kind",
                "due_at",
                "assignee",
                "minutes",
                "may_contact",
                "founded_year",
                "employees",
                "x",
            ]
        ),
        ODD,
        max_size=6,
    )
)
@pytest.mark.parametrize("slug", ["accounts", "contacts", "deals", "activities"])
def test_no_body_is_a_bug_of_ours(program, slug, body):
    try:
        text = json.dumps(body).encode()
    except UnicodeEncodeError:
        return
    answer = program.send("POST", f"{slug}/", text)

    assert answer.status_code in (201, 400, 422), (body, answer.content[:300])
    if answer.status_code != 201:
        demand_problem(answer, answer.status_code)


@FEW
@given(
    field=st.sampled_from(
        [
            "name",
            "amount",
            "close_date",
            "created_at",
            "owner",
            "account",
            "stage",
            "tags",
            "team",
            "product",
            "q",
            "x",
        ]
    ),
    operator=st.sampled_from(
        [
            "is",
            "not",
            "gte",
            "lte",
            "between",
            "before",
            "after",
            "in",
            "older",
            "empty",
            "contains",
            "starts",
            "",
        ]
    ),
    values=st.lists(
        st.text(max_size=12)
        | st.integers().map(str)
        | st.dates().map(str)
        | st.sampled_from(["NaN", "Infinity", "1e999", "me", "none", "²"]),
        max_size=3,
    ),
)
def test_no_filter_is_a_bug_of_ours(program, field, operator, values):
    answer = program.client.get(
        "/api/v1/deals/", {"f": f"{field}.{operator}.{'|'.join(values)}", field: values}
    )

    assert answer.status_code in (200, 422), answer.content[:300]


@FEW
@given(body=st.binary(max_size=60))
def test_no_bytes_are_a_bug_of_ours(program, body):
    answer = program.send("POST", "deals/", body)

    assert answer.status_code in (201, 400, 422), answer.content[:300]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ('{"name": NaN}', 400),
        ("[" * 100_000, 400),
        ('{"a":' * 50 + "1" + "}" * 50, 400),
        ("[]", 422),
        ("null", 422),
        ('"x"', 422),
        ("5", 422),
        ('{"name": "\\u0000"}', 422),
        ('{"name": "\\ud800"}', 422),
        (b"\xff\xfe", 400),
        ('{"name": ' + "9" * 5000 + "}", 400),
        ('{"amount": 1e99999999999999999999}', 400),
        (" " * (1024 * 1024 + 1), 413),
    ],
)
def test_body_that_cannot_be_read_is_refused(program, body, status):
    demand_problem(program.send("POST", "deals/", body), status)


def test_only_json_is_taken_whatever_is_accepted_back(program):
    form = program.client.post("/api/v1/deals/", {"name": "x"})
    demand_problem(form, 415, "unsupported_media_type")
    plain = program.client.generic(
        "POST", "/api/v1/deals/", b"x", content_type="text/plain; charset=nonsense"
    )
    demand_problem(plain, 415)
    odd = program.client.generic(
        "POST",
        "/api/v1/deals/",
        b'{"name": "x"}',
        content_type="application/json; charset=nonsense",
    )
    assert odd.status_code == 201
    page = program.get("nothing/", accept="text/html")
    demand_problem(page, 404)
    assert program.get("deals/", accept="text/html")["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        "nothing/",
        "deals",
        "deals/x/",
        "deals/1/nothing/",
        "deals/-1/",
        "deals/" + "9" * 19 + "/",
        "%00/",
        "deals/1%00/",
    ],
)
def test_address_that_is_none_is_a_problem_document(program, path):
    demand_problem(program.get(path), 404, "not_found")
    demand_problem(program.post(path, {}), 404, "not_found")


def test_largest_id_is_nothing(program):
    for path in ("deals/999999999999999999/", "users/999999999999999999/"):
        demand_problem(program.get(path), 404)
    demand_problem(program.post("deals/999999999999999999/restore/"), 404)


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE"])
def test_method_an_address_does_not_take_is_refused(program, method):
    answer = program.send(method, "deals/")

    demand_problem(answer, 405, "method_not_allowed")
    assert "POST" in answer["Allow"]


def test_bug_of_ours_is_a_problem_document_too_and_keeps_nothing(program, manager, monkeypatch):
    from crm_core.fields import services

    def broken(**_facts):
        factories.account(manager, name="Half done")
        raise ZeroDivisionError

    monkeypatch.setattr(services, "delete_records", broken)
    account = factories.account(manager)

    answer = program.delete(f"accounts/{account.pk}/")

    demand_problem(answer, 500, "failed")
    assert "ZeroDivision" not in answer.content.decode()
    assert [row["name"] for row in program.get("accounts/").json()["results"]] == [account.name]


def test_refusal_is_in_the_readers_language(program):
    answer = program.get("nothing/", **{"accept-language": "zh-TW"})

    assert answer["Content-Language"] == "zh-hant"
