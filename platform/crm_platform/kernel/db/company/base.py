"""The only place where a connection is told whose schema it works in.

`BEGIN; SET LOCAL search_path; SET LOCAL ROLE` travel in one message with the first statement, so a
transaction either starts in the right schema with the right role or runs nothing, and begins
without a trip of its own (`docs/adr/0013-beginning-with-the-first-statement.md`). Outside a
transaction nothing can be read: the login has an empty path and no rights, and this wrapper refuses
before asking.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, InterfaceError, OperationalError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.sql import SQL, Identifier

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.company.cursor import Cursor
from crm_platform.kernel.errors import CrossedCompanies, NoCompany, ReadOnly

# A backend keeps the catalogue of every schema it served (379 KiB each, measured); a fresh
# connection costs 5 ms. Source: reference/tenancy.md, sections 0.7 and 8 (Pooling).
MAX_COMPANIES_A_CONNECTION = 200
SERVED = "rapport_served"
"""Where a psycopg connection keeps the schemas it served: a pool hands it from thread to thread."""

READ_ONLY = "SET TRANSACTION READ ONLY"
"""PostgreSQL lets no later statement of the same transaction take this back."""
LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
NOT_ENTERED = {"22023", "42501", "42704"}
"""SQLSTATE of a role that is not there, or that this login may not take."""


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


@lru_cache(maxsize=4096)
def _entering(schema: str, role: str, *, writable: bool) -> list[str]:
    path = SQL("SET LOCAL search_path TO {}").format(Identifier(schema)).as_string()
    become = SQL("SET LOCAL ROLE {}").format(Identifier(role)).as_string()
    return [path, become] if writable else [READ_ONLY, path, become]


def scope_statements(scope: tenancy.Scope) -> list[str]:
    """What makes a transaction one of the scope: its path and role, and that it only reads."""
    return _entering(scope.schema, scope.role, writable=scope.writable)


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, one company a transaction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begun_in: tenancy.Scope | None = None
        self.to_begin: tenancy.Scope | None = None
        """The scope of a transaction of which PostgreSQL was not told yet."""
        self.only_asks = True
        """Whether nothing but plain questions were asked in the transaction."""
        self._is_ending = False
        """A COMMIT was sent whose answer nobody waited for."""
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

    def _has_served_enough(self, scope: tenancy.Scope) -> bool:
        served = self._served
        return len(served) >= MAX_COMPANIES_A_CONNECTION and scope.schema not in served

    def _renew(self) -> None:
        """End the present connection for good and take another."""
        if self.connection is not None and not self.connection.closed:
            # Closed before it goes back, a pool makes a fresh one instead of keeping it.
            self.connection.close()
        if not self.in_atomic_block:
            self.close()
            self.ensure_connection()
            return
        # Django's own way would end the block; nothing was begun in it, so it goes on.
        if self.connection is not None:
            self._close()  # type: ignore[attr-defined]  # lacking in the stubs
        with self.wrap_database_errors:
            self.connection = self.get_new_connection(self.get_connection_params())
        self.connection.autocommit = True
        self.init_connection_state()

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": Cursor}

    def _set_autocommit(self, autocommit: bool) -> None:  # Django's signature
        # psycopg stays in autocommit for good: it would send a BEGIN of its own otherwise.
        if autocommit:
            self.to_begin = None
            if not self.connection.autocommit:
                self.connection.autocommit = True

    # -- transactions ------------------------------------------------------------------------

    def _start_transaction_under_autocommit(self) -> None:
        """Begin in the current scope; called by `atomic()` for the outermost block."""
        scope = tenancy.current_or_none()
        if scope is None:
            raise NoCompany("A transaction must begin inside a unit of work.")
        self.ensure_connection()
        if self._is_gone() or self._has_served_enough(scope):
            self._renew()
        self.to_begin = self._begun_in = scope
        self.only_asks = True

    def begin_with(self, cursor: Cursor, query: Any, params: Any) -> None:
        """Begin and run the first statement in one message; its result is the cursor's."""
        statements = self._beginning()

        def send() -> None:
            cursor.run("; ".join([*statements, cursor.mogrify(query, params)]))

        try:
            self._surely(send, cursor)
        except psycopg.Error as error:
            if not self.is_aborted or error.sqlstate not in NOT_ENTERED:
                self._note_begun()
                raise
            # Which of them was refused? Entering by itself says so in words of its own.
            self.connection.pgconn.exec_(b"ROLLBACK")
            self._send(statements)
            self._note_begun()
            cursor.run(query, params)
        else:
            self._note_begun()
            cursor.set_result(len(statements))

    def begin(self, cursor: Cursor | None = None) -> None:
        """Begin without a statement, for what cannot travel together with it."""
        self._surely(lambda: self._send(self._beginning()), cursor)
        self._note_begun()

    def _surely(self, send: Callable[[], None], cursor: Cursor | None) -> None:
        """Send over another connection where the server went away between two requests.

        Nothing that was sent yet is kept then. In a pool each idle connection may be such a one.
        """
        for left in reversed(range(2 + self._pool_size())):
            try:
                self._settle()
                send()
            except LOST:
                if not left or not self._is_gone():
                    raise
                self._renew()
                if cursor is not None:
                    cursor.move_to(self.connection)
            else:
                return

    def _commit(self) -> None:
        """Keep what was done; who only asked has nothing to keep and does not wait for the answer.

        A pool looks at what it is given back: there the answer is waited for.
        """
        if self.to_begin is not None:
            return
        raw = self.connection
        is_open = raw is not None and raw.info.transaction_status == TransactionStatus.INTRANS
        if not is_open or not self.only_asks or self.pool:
            super()._commit()  # type: ignore[misc]  # lacking in the stubs
            return
        with self.wrap_database_errors:
            raw.pgconn.send_query(b"COMMIT")
            raw.pgconn.flush()
        self._is_ending = True

    def _rollback(self) -> None:
        if self.to_begin is None:
            super()._rollback()  # type: ignore[misc]  # lacking in the stubs

    def _settle(self) -> None:
        """Take the answer to a COMMIT that was not waited for."""
        if self._is_ending:
            self._is_ending = False
            while self.connection is not None and self.connection.pgconn.get_result():
                continue

    def is_usable(self) -> bool:
        with self.wrap_database_errors:
            self._settle()
        return bool(super().is_usable())

    def _note_begun(self) -> None:
        """The transaction runs, unless the message was refused as a whole."""
        status = self.connection.info.transaction_status
        if self.to_begin and status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            self._served.add(self.to_begin.schema)
            self.to_begin = None

    def _pool_size(self) -> int:
        pool = self.pool
        return int(pool.max_size) if pool else 0

    def _beginning(self) -> list[str]:
        """The statements that begin in the scope."""
        scope = self.to_begin
        assert scope is not None
        return ["BEGIN", *scope_statements(scope)]

    @property
    def is_aborted(self) -> bool:
        """Whether the open transaction answers nothing more, because a statement failed in it."""
        raw = self.connection
        return raw is not None and raw.info.transaction_status == TransactionStatus.INERROR

    def _is_gone(self) -> bool:
        return self.connection is None or self.connection.closed or self.connection.broken

    def _send(self, statements: list[str]) -> None:
        """Send statements without parameters as one message; all take effect, or it raises."""
        pgconn = self.connection.pgconn
        with self.wrap_database_errors:
            result = pgconn.exec_("; ".join(statements).encode())
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
        if self.to_begin is not None:
            self.begin()
        self._send(scope_statements(scope))
        self._begun_in = scope
        try:
            yield
        finally:
            self._begun_in = before
            in_error = self.connection.info.transaction_status == TransactionStatus.INERROR
            if before is not None and not in_error:
                self._send(scope_statements(before))

    # -- statements --------------------------------------------------------------------------

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor, but only inside the unit of work whose company is still the current one."""
        if not self.in_atomic_block:
            raise NoCompany("Nothing is read or written outside a unit of work.")
        if tenancy.current_or_none() != self._begun_in:
            raise CrossedCompanies("This transaction began for another company.")
        if name:
            self.only_asks = False
            if self.to_begin is not None:
                self.begin()
            return super().create_cursor(name)
        cursor = super().create_cursor()
        cursor.unit = self
        return cursor
