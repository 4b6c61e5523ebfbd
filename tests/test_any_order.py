"""The random order of RAPPORT_ANY_ORDER is given where there is none, and nowhere else."""

from django.db import connection
from django.db.models import Count

from crm_platform.kernel import tenancy
from tenants.models import Company
from tests.any_order import in_any_order


def order_of(rows):
    compiler = rows.query.get_compiler(connection=connection)
    compiler.setup_query()
    return [sql for _expression, (sql, _params, _is_ref) in in_any_order(compiler)]


def test_only_rows_that_have_no_order_get_a_random_one(database):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert order_of(Company.objects.all()) == ["RANDOM() ASC"]
        assert order_of(Company.objects.order_by("slug")) == ['"tenants_company"."slug" ASC']
        assert order_of(Company.objects.values("state").annotate(n=Count("pk"))) == []
        assert order_of(Company.objects.values("state").distinct()) == []
