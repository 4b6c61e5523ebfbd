"""Private memory of one PostgreSQL backend that serves many companies, with and without renewal."""

import uuid
from dataclasses import dataclass
from pathlib import Path

TABLES = 12
"""Tables of a company that are read each time, as a page or two would."""
LOOKED_EVERY = 10


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of the backend that had most, how many backends there were, how many companies."""

    peak_mb: float
    backends: int
    companies: int


def private_mb(pid: int) -> float:
    """Private memory of a process, MiB; needs to be root or its user."""
    total = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Private_"):
            total += int(line.split()[1])
    return total / 1024


def many_scopes(count: int) -> list:
    """So many companies' schemas with their tables; those missing are made, and kept."""
    from crm_platform.kernel import tenancy
    from crm_platform.kernel.db.owner.base import owner_connection
    from tenants import provisioning

    owner = owner_connection()
    owner.ensure_connection()
    rows = owner.connection.execute(
        r"SELECT schemaname FROM pg_tables WHERE tablename = 'identity_user'"
        r" AND schemaname LIKE 't\_%%' ORDER BY 1 LIMIT %s",
        [count],
    ).fetchall()
    names = [name for (name,) in rows]
    while len(names) < count:
        names.append(provisioning.new_schema_name())
        provisioning.build_schema(names[-1])
        if len(names) % 50 == 0:
            owner.close()  # the owner's backend grows as well
    return [tenancy.Scope(id=uuid.uuid4(), schema=name, role=name) for name in names]


def served(scopes: list, *, renewed: bool = True) -> Memory:
    """Serve each company once over one connection of this process; see `Memory`."""
    from django.apps import apps
    from django.conf import settings
    from django.db import connection

    from crm_platform.kernel import tenancy
    from crm_platform.kernel.db.company import base
    from crm_platform.kernel.router import labels

    ours = labels(settings.TENANT_APPS)
    models = [m for config in apps.get_app_configs() if config.label in ours
              for m in config.get_models()][:TABLES]  # fmt: skip
    most = base.MAX_COMPANIES_A_CONNECTION if renewed else len(scopes) + 1
    peak, backends = 0.0, set()
    connection.close()
    usual, base.MAX_COMPANIES_A_CONNECTION = base.MAX_COMPANIES_A_CONNECTION, most
    try:
        for number, scope in enumerate(scopes, start=1):
            with tenancy.unit_of_work(scope):
                for model in models:
                    model._default_manager.order_by().first()
                pid = connection.connection.info.backend_pid
                backends.add(pid)
                if number % LOOKED_EVERY == 0 or number == len(scopes):
                    peak = max(peak, private_mb(pid))
    finally:
        base.MAX_COMPANIES_A_CONNECTION = usual
    connection.close()
    return Memory(round(peak, 1), len(backends), len(scopes))
