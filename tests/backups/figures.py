"""What tests of backups look at: rows and checksums of a schema, and a clock that stands."""

from django.utils import timezone

from crm_platform.kernel.db.owner.base import owner_connection
from tenants.backups import rules
from tests.isolation import ledger


def clock():
    return timezone.now()


def sums(schema):
    """Checksum of every table that belongs into an archive."""
    found = ledger.checksums(schema)
    skipped = {*rules.LEFT_OUT, *rules.MADE_BY_US}
    return {table: value for table, value in found.items() if table not in skipped}


def schemas():
    """Every company schema of the cluster's database."""
    raw = owner_connection()
    raw.ensure_connection()
    rows = raw.connection.execute(
        r"SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\_%'"
    ).fetchall()
    return {name for (name,) in rows}


def definitions(schema):
    """Every index and constraint of a schema, as text without the schema's name."""
    raw = owner_connection()
    raw.ensure_connection()
    with raw.working_in(schema):
        rows = raw.connection.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid"
            " WHERE relnamespace = %s::regnamespace"
            " UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' ||"
            " pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = %s::regnamespace",
            [schema, schema],
        ).fetchall()
    return sorted(text.replace(f"{schema}.", "") for (text,) in rows)
