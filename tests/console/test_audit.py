"""What operators do is written down, found again, exported, and never changed."""

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from crm_platform.console.models import OperatorEntry
from crm_platform.console.services import audit
from tenants import queries
from tests.conftest import NOON
from tests.console.conftest import make_person
from tests.kernel.walls import STATEMENTS


def test_acts_on_a_company_are_entries_with_reason_and_request(operator, platform_operator, globex):
    path = f"/companies/{globex.id}/"
    answer = operator.post(f"{path}suspend/", {"reason": "unpaid"})
    operator.post(f"{path}resume/")
    queries.forget_hosts()

    found = list(OperatorEntry.objects.filter(company_id=globex.id).order_by("pk"))
    assert [entry.verb for entry in found] == ["company.suspended", "company.resumed"]
    assert {entry.actor_id for entry in found} == {platform_operator.pk}
    assert (found[0].reason, found[0].title) == ("unpaid", globex.name)
    assert found[0].request_id == answer.headers["X-Request-ID"]


def test_refused_act_leaves_no_entry(operator, globex):
    operator.post(f"/companies/{globex.id}/resume/")

    assert not OperatorEntry.objects.filter(company_id=globex.id).exists()


def test_page_filters_and_pages(operator, platform_operator):
    other = make_person("billing", name="Bill Billing")
    for number in range(60):
        audit.record(
            actor=other if number % 2 else platform_operator, verb="company.suspended", at=NOON,
            title=f"Company {number:02}", reason="unpaid",
        )  # fmt: skip

    def shown(**query):
        text = operator.get("/audit/", query).content.decode()
        return text.count("<tr><td>"), text

    count, first = shown()
    assert count == 50
    after = first.partition("?after=")[2].partition('"')[0]
    assert shown(after=after)[0] >= 10
    assert shown(q="Company 07")[0] == 1
    assert shown(who=str(other.pk))[0] == 30
    assert shown(topic="company", first="2026-11-20", last="2026-11-20")[0] == 50
    assert shown(last="2020-01-01")[0] == 0
    assert operator.get("/audit/", {"after": "nonsense"}).status_code == 422
    assert operator.get("/audit/", {"after": "WyJ4IiwieSJd", "first": "x"}).status_code == 422


def test_export_is_safe_for_a_spreadsheet_and_an_entry_itself(operator, platform_operator):
    audit.record(
        actor=platform_operator, verb="company.suspended", at=NOON, title="=HYPERLINK(1)",
        facts={"state": ["active", "suspended"]},
    )  # fmt: skip

    answer = operator.post("/audit/export/?topic=company")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")

    assert "'=HYPERLINK(1)" in text
    assert "active → suspended" in text
    assert OperatorEntry.objects.filter(verb="audit.exported").exists()


def test_serving_role_adds_to_the_audit_and_changes_nothing(platform_unit, say):
    denied = 0
    names = {"table": sql.Identifier("console_operatorentry"), "column": sql.Identifier("id")}
    for statement in STATEMENTS[2:5]:
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.SQL(statement).format(**names))
        denied += 1
    say(f"T6 operators' audit: denied={denied}/3")


def test_list_costs_the_same_for_many_entries(operator, django_assert_max_num_queries):
    operator.get("/audit/")
    with django_assert_max_num_queries(7):
        operator.get("/audit/")
