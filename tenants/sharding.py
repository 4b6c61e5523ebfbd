"""What differs on a Citus cluster, behind one setting (`RAPPORT_SHARDING=citus`).

Each company's schema lives on one worker as a whole; the platform's tables stay plain tables of
the coordinator, which no company's table refers to. Everything connects to the coordinator.
Source: reference/tenancy.md, section 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from psycopg.sql import SQL, Composable

from crm_platform.kernel.errors import Conflict, Invalid

CITUS = "citus"
SEPARATOR = ";\n"
"""Between the statements of a release's script; no statement holds one (a test looks)."""


def is_sharded() -> bool:
    """Whether companies are spread over the workers of a cluster."""
    return bool(settings.SHARDING == CITUS)


def role_login() -> Composable:
    """Workers let a company's role in by its name, with no password and no other right."""
    return SQL("LOGIN" if is_sharded() else "NOLOGIN")


def before_schema() -> list[Composable]:
    """What makes the schema that is created next one of the cluster's."""
    return [SQL("SET LOCAL citus.enable_schema_based_sharding TO on")] if is_sharded() else []


def send(raw: Any, statements: Sequence[Composable]) -> None:
    """Run statements in the open transaction of `raw` (psycopg): as one message where that works.

    A cluster refuses an index that comes in a message with others, so there each goes alone.
    """
    if not is_sharded():
        raw.execute(SQL("; ").join(statements))
        return
    for statement in statements:
        for part in statement.as_string(raw).split(SEPARATOR):
            raw.execute(part)


@dataclass(frozen=True, slots=True)
class Node:
    """A worker of the cluster."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def nodes(raw: Any) -> list[Node]:
    """The workers that take companies, in a lasting order."""
    rows = raw.execute(
        "SELECT nodename, nodeport FROM pg_dist_node"
        " WHERE shouldhaveshards AND isactive AND noderole = 'primary' ORDER BY nodeid"
    ).fetchall()
    return [Node(host, port) for host, port in rows]


def move(raw: Any, schema: str, *, to: str) -> None:
    """Bring a company to another worker, `host:port`; people go on working, writes wait a moment.

    Raises:
        Conflict: the database is no cluster.
        Invalid: there is no such worker.
    """
    if not is_sharded():
        raise Conflict(
            _("This database is no cluster: there is nowhere to move to. RAPPORT_SHARDING says so.")
        )
    known = nodes(raw)
    node = next((each for each in known if str(each) == to), None)
    if node is None:
        raise Invalid(
            _("There is no worker %(to)s. There are: %(known)s.")
            % {"to": to, "known": ", ".join(map(str, known)) or "–"},
            field="to",
        )
    raw.execute(
        "SELECT citus_schema_move(to_regnamespace(%s), %s, %s, 'force_logical')",
        [schema, node.host, node.port],
    )
