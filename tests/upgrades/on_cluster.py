"""For `test_sharding`: a company on a Citus cluster is made, filled, upgraded and moved.

CITUS_DATABASE_URL is a superuser's address of the coordinator. Prints what was found, as JSON.
"""

import json
import os
import secrets
import sys
from urllib.parse import urlsplit

CLUSTER = os.environ["CITUS_DATABASE_URL"]
PASSWORD = secrets.token_urlsafe(24)


def address(login: str) -> str:
    """The same database, as one of Rapport's logins."""
    parts = urlsplit(CLUSTER)
    return parts._replace(netloc=f"{login}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}").geturl()


os.environ |= {
    "DATABASE_URL": address("rapport_app"), "DATABASE_OWNER_URL": address("rapport_owner"),
    "DJANGO_SETTINGS_MODULE": "crm_platform.settings",
}  # fmt: skip


def set_up() -> None:
    """Roles with a password, rights, the platform's tables."""
    import psycopg

    from crm_platform.ops.database_roles import database_bootstrap_statements

    with psycopg.connect(CLUSTER, autocommit=True) as superuser:
        superuser.execute("CREATE EXTENSION IF NOT EXISTS citus")
        for statement in database_bootstrap_statements(
            owner_password=PASSWORD, app_password=PASSWORD
        ):
            superuser.execute(statement.encode())
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate_platform", verbosity=0)


def main() -> None:
    set_up()
    from django.utils import timezone

    from crm_core.records.models import Contact
    from crm_platform.kernel import tenancy
    from crm_platform.kernel.db.owner.base import owner_connection
    from tenants import provisioning, queries, sharding
    from tests import factories
    from tests.conftest import make_company

    scope = make_company(f"cluster-{secrets.token_hex(4)}")
    wanted = 50
    with tenancy.unit_of_work(scope):
        owner = factories.user(role="owner")
        for _number in range(wanted):
            factories.contact(owner)
    owners = owner_connection()
    owners.ensure_connection()
    raw = owners.connection
    workers = sharding.nodes(raw)
    place = (
        "SELECT DISTINCT nodename || ':' || nodeport FROM citus_shards"
        " WHERE table_name::text LIKE %s"
    )
    [(before,)] = raw.execute(place, [f"{scope.schema}.%"]).fetchall()
    other = next(str(node) for node in workers if str(node) != before)
    sharding.move(raw, scope.schema, to=other)
    [(after,)] = raw.execute(place, [f"{scope.schema}.%"]).fetchall()
    with tenancy.unit_of_work(scope):
        rows, size = Contact.objects.count(), queries.schema_size()
    sys.stdout.write(
        json.dumps({
            "workers": len(workers), "moved": (before, after) == (before, other), "rows": rows,
            "wanted": wanted, "size": size, "at": timezone.now().isoformat(),
            "is_whole": not provisioning.missing_tables(scope.schema),
        }) + "\n"
    )  # fmt: skip


main()
