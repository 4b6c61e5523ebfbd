"""Waiting for the locks of a process that was killed."""

from uuid import UUID

from tenants.provisioning import owner_connection


def wait_until_free(lock: str | UUID) -> None:
    """Wait for `only_one`'s lock of that name, or `only_worker`'s of that company.

    A connection's end frees its locks a moment later: the server may first finish a statement.
    """
    connection = owner_connection()
    connection.ensure_connection()
    raw = connection.connection
    if isinstance(lock, UUID):
        key = lock.int & 0x7FFF_FFFF_FFFF_FFFF
    else:
        key = raw.execute("SELECT hashtextextended(%s, 0)", [f"rapport:{lock}"]).fetchone()[0]
    raw.execute("SELECT pg_advisory_lock(%s)", [key])
    raw.execute("SELECT pg_advisory_unlock(%s)", [key])
