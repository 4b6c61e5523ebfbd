"""The only place where a connection is told whose schema it works in.

`BEGIN; SET LOCAL search_path; SET LOCAL ROLE` travel as one message, so a transaction either
starts in the right schema with the right role or does not start. Outside a transaction nothing
can be read: the login has an empty path and no rights, and this wrapper refuses before asking.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, InterfaceError, OperationalError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.sql import SQL, Composed, Identifier

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import CrossedCompanies, NoCompany, ReadOnly

# A backend keeps the catalogue of every schema it served (379 KiB each, measured); a fresh
# connection costs 5 ms. Source: reference/tenancy.md, sections 0.7 and 8 (Pooling).
MAX_COMPANIES_A_CONNECTION = 200
SERVED = "rapport_served"
"""Where a psycopg connection keeps the schemas it served: a pool hands it from thread to thread."""

READ_ONLY = b"SET TRANSACTION READ ONLY; "
"""PostgreSQL lets no later statement of the same transaction take this back."""


def read_only_refusal() -> ReadOnly:
    """What is said wherever a read-only company was to be changed."""
    return ReadOnly(
        _("This company is read-only at present, so nothing was changed. Reading, searching and"
          " exporting work; an owner of the company can say how it opens again.")
    )  # fmt: skip


class _Errors(DatabaseErrorWrapper):
    """A write the database refused because the company is read-only becomes a refusal of ours."""

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_type is not None and issubclass(exc_type, ReadOnlySqlTransaction):
            raise read_only_refusal() from exc_value
        super().__exit__(exc_type, exc_value, traceback)


def scope_statements(scope: tenancy.Scope) -> Composed:
    """`SET LOCAL` of path and role, with the names quoted."""
    return SQL("SET LOCAL search_path TO {path}; SET LOCAL ROLE {role}").format(
        path=Identifier(scope.schema), role=Identifier(scope.role)
    )


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, one company a transaction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begun_in: tenancy.Scope | None = None
        self.may_switch_scope = False
        """Tests keep two companies in one transaction; a serving process never does."""

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        """Django's translation of errors, and ours."""
        return _Errors(self)

    # -- connections -------------------------------------------------------------------------

    @cached_property
    def pg_version(self) -> int:
        """The server's version, from the handshake: asking it would be a query outside a unit."""
        self.ensure_connection()
        return int(self.connection.info.server_version)

    @property
    def _served(self) -> set[str]:
        """The schemas that the present connection has served."""
        raw = self.connection
        if not hasattr(raw, SERVED):
            setattr(raw, SERVED, set())
        served: set[str] = getattr(raw, SERVED)
        return served

    def _renew(self) -> None:
        """End the present connection for good and take another."""
        if self.connection is not None and not self.connection.closed:
            # Closed before it goes back, a pool makes a fresh one instead of keeping it.
            self.connection.close()
        self.close()
        self.ensure_connection()

    def _set_autocommit(self, autocommit: bool) -> None:  # Django's signature
        # psycopg stays in autocommit for good: it would send a BEGIN of its own otherwise.
        if autocommit and not self.connection.autocommit:
            self.connection.autocommit = True

    # -- transactions ------------------------------------------------------------------------

    def _start_transaction_under_autocommit(self) -> None:
        """Begin in the current scope; called by `atomic()` for the outermost block."""
        scope = tenancy.current_or_none()
        if scope is None:
            raise NoCompany("A transaction must begin inside a unit of work.")
        self.ensure_connection()
        served = self._served
        if len(served) >= MAX_COMPANIES_A_CONNECTION and scope.schema not in served:
            self._renew()
        self._send_surely(scope)
        self._begun_in = scope
        self._served.add(scope.schema)

    def _send_surely(self, scope: tenancy.Scope) -> None:
        """Begin, over another connection where the server went away between two requests.

        Nothing was sent yet then. In a pool each idle connection may be such a one.
        """
        for left in reversed(range(2 + self._pool_size())):
            try:
                self._send(self._begin_message(scope))
            except (OperationalError, InterfaceError):
                if not left or not self._is_gone():
                    raise
                self._renew()
            else:
                return

    def _pool_size(self) -> int:
        pool = self.pool
        return int(pool.max_size) if pool else 0

    def _begin_message(self, scope: tenancy.Scope) -> bytes:
        with self.wrap_database_errors:
            mode = b"" if scope.writable else READ_ONLY
            return b"BEGIN; " + mode + scope_statements(scope).as_bytes(self.connection)

    @property
    def is_aborted(self) -> bool:
        """Whether the open transaction answers nothing more, because a statement failed in it."""
        raw = self.connection
        return raw is not None and raw.info.transaction_status == TransactionStatus.INERROR

    def _is_gone(self) -> bool:
        return self.connection is None or self.connection.closed or self.connection.broken

    def _send(self, message: bytes) -> None:
        """Send statements without parameters as one message; all take effect, or it raises."""
        pgconn = self.connection.pgconn
        with self.wrap_database_errors:
            result = pgconn.exec_(message)
        if result.status == ExecStatus.COMMAND_OK:
            return
        error = result.error_message.decode("utf-8", "replace").strip()
        if pgconn.transaction_status in (TransactionStatus.INERROR, TransactionStatus.INTRANS):
            pgconn.exec_(b"ROLLBACK")
        raise OperationalError(f"The company could not be entered, nothing was run: {error}")

    @contextmanager
    def switched_scope(self) -> Iterator[None]:
        """Re-enter another scope inside the open transaction (tests only)."""
        before, scope = self._begun_in, tenancy.current()
        mode = b"" if scope.writable else READ_ONLY
        self._send(mode + scope_statements(scope).as_bytes(self.connection))
        self._begun_in = scope
        try:
            yield
        finally:
            self._begun_in = before
            in_error = self.connection.info.transaction_status == TransactionStatus.INERROR
            if before is not None and not in_error:
                self._send(scope_statements(before).as_bytes(self.connection))

    # -- statements --------------------------------------------------------------------------

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor, but only inside the unit of work whose company is still the current one."""
        if not self.in_atomic_block:
            raise NoCompany("Nothing is read or written outside a unit of work.")
        if tenancy.current_or_none() != self._begun_in:
            raise CrossedCompanies("This transaction began for another company.")
        return super().create_cursor(name)
