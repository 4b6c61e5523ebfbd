"""Waiting until the server has noticed that a process is dead.

A connection's end is seen a moment later: the server first finishes the statement it is in, and a
commit that was on its way is made. Who looks before that sees neither the state before nor after.
"""

import select
from uuid import UUID

from tenants.provisioning import owner_connection

# In the environment of a process that will be killed: the name its sessions go by.
TO_BE_KILLED = {"PGAPPNAME": "to-be-killed"}


def wait_until_gone() -> None:
    """Wait until the server has ended every session of processes started with TO_BE_KILLED."""
    for _look in range(1500):
        living = _owner().execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [TO_BE_KILLED["PGAPPNAME"]],
        )
        if not living.fetchone()[0]:
            return
        select.select([], [], [], 0.02)
    raise AssertionError("A killed process's session does not end.")


def wait_until_free(lock: str | UUID) -> None:
    """Wait for `only_one`'s lock of that name, or `only_worker`'s of that company."""
    if isinstance(lock, UUID):
        key = lock.int & 0x7FFF_FFFF_FFFF_FFFF
    else:
        found = _owner().execute("SELECT hashtextextended(%s, 0)", [f"rapport:{lock}"])
        key = found.fetchone()[0]
    _owner().execute("SELECT pg_advisory_lock(%s)", [key])
    _owner().execute("SELECT pg_advisory_unlock(%s)", [key])


def _owner():
    connection = owner_connection()
    connection.ensure_connection()
    return connection.connection
