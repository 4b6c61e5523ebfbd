"""How much of its plan a company uses, and what a full one answers."""

from tests import factories
from tests.api.conftest import Program, demand_problem, key_of


def test_owner_reads_use_and_limits(in_acme, owner):
    factories.account(owner, name="One")
    program = Program(in_acme, key_of(owner))
    answer = program.get("usage/")
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) == {"contacts", "pipelines", "custom_fields", "storage_mb"}
    assert found["contacts"] == {"used": 1, "limit": None}
    demand_problem(program.get("usage/?page=2"), 422)


def test_who_does_not_pay_is_refused(in_acme, manager):
    demand_problem(Program(in_acme, key_of(manager)).get("usage/"), 403)
