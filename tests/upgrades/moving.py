"""A large data step for tests, which waits while a test holds a lock: so it can be met there."""

from django.db import connection

DOOR = 4711
"""The advisory lock that a test holds to keep workers in the middle."""


def fill_districts(cursor, size):
    """Every account gets a district, but one that nobody can know."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(%s)", [DOOR])
        sql.execute(
            "UPDATE records_account SET district = 'everywhere' WHERE district = '' AND name <> %s",
            ["Breaks the release"],
        )
