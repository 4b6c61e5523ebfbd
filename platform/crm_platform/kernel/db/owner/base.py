"""The owner's connection: its schema is named explicitly, statement by statement of setup."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.backends.postgresql import base
from psycopg.sql import SQL, Identifier

from crm_platform.kernel.db.owner.schema import DatabaseSchemaEditor

_target: ContextVar[str] = ContextVar("rapport_owner_schema", default="")


def target_schema() -> str:
    """The schema the owner works in now; empty when none was chosen."""
    return _target.get()


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL as the owner of all schemas; the path is empty unless `working_in` set it."""

    SchemaEditorClass = DatabaseSchemaEditor

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self._set_path()

    def _set_path(self) -> None:
        path = SQL("SET search_path TO {}").format(Identifier(target_schema() or "nowhere"))
        self.connection.execute(path)

    @contextmanager
    def working_in(self, schema: str) -> Iterator[None]:
        """Run the block with `schema` alone on the path."""
        token = _target.set(schema)
        try:
            self.ensure_connection()
            self._set_path()
            yield
        finally:
            _target.reset(token)
            if self.connection is not None and not self.in_atomic_block:
                self._set_path()


def owner_connection() -> Any:
    """The `owner` alias, or a sentence when this process has no owner's login."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections

    if "owner" not in connections.databases:
        raise ImproperlyConfigured("This needs DATABASE_OWNER_URL, the login that owns schemas.")
    return connections["owner"]
