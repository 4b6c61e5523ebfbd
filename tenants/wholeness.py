"""Whether a company's schema is as this release's code expects; looked at once a process."""

import time
from uuid import UUID

from django.db import connection

from crm_platform.kernel import tenancy
from tenants import provisioning

LOOK_AGAIN_SECONDS = 5
_whole: set[UUID] = set()
_lacking: dict[UUID, float] = {}


def is_whole() -> bool:
    """Whether the running unit of work's company has every table and column of this code.

    A schema ahead of the code is fine (upgrades widen first), and so is one that only lacks what
    no query needs, such as an index. Two queries the first time in a
    process, none afterwards; a lacking one is looked at again after a few seconds.
    """
    company = tenancy.current_company().id
    if company in _whole:
        return True
    if _lacking.get(company, 0) > time.monotonic():
        return False
    if _lacks_nothing():
        _whole.add(company)
        return True
    _lacking[company] = time.monotonic() + LOOK_AGAIN_SECONDS
    return False


def forget(company: UUID) -> None:
    """Look again at the next request, because this one failed."""
    _whole.discard(company)
    _lacking.pop(company, None)


def _lacks_nothing() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
        )
        if provisioning.company_tables() - {row[0] for row in cursor.fetchall()}:
            return False
        cursor.execute("SELECT app, name FROM django_migrations")
        there = {tuple(row) for row in cursor.fetchall()}
        return not provisioning.indispensable_migrations() - there
