"""Commands over companies: they show before they change, and one failure stops no other."""

import io

import pytest
from django.core.management import CommandError, call_command

from crm_platform.kernel import tenancy
from tenants.models import Company
from tests.conftest import make_company, unique


def run(*arguments, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err, **options)
    return out.getvalue()


@pytest.fixture
def company(database):
    return make_company(f"command-{unique()}")


def state_of(scope):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Company.objects.get(pk=scope.id).state


def test_company_remove_changes_nothing_unless_told_really(company):
    said = run("company_remove", company.slug)

    assert company.schema in said
    assert state_of(company) == "active"


@pytest.mark.parametrize(
    ("name", "schema"), [("", ""), ("right", ""), ("", "right"), ("x", "right")]
)
def test_company_remove_refuses_names_that_are_not_typed_right(company, name, schema):
    with pytest.raises(CommandError):
        run(
            "company_remove",
            company.slug,
            really=True,
            name=company.name if name == "right" else name,
            schema=company.schema if schema == "right" else schema,
        )
    assert state_of(company) == "active"


def test_company_remove_with_both_names_closes_it(company):
    run("company_remove", company.slug, really=True, name=company.name, schema=company.schema)

    assert state_of(company) == "deleted"


def test_company_remove_of_nobody_is_refused(database):
    with pytest.raises(CommandError):
        run("company_remove", "no-such-company")


def test_company_list_names_every_company(company, acme):
    said = run("company_list")

    assert company.slug in said
    assert "acme" in said
