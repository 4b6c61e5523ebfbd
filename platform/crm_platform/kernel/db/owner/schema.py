"""DDL as our schemas want it: immediate foreign keys and no `_like` indexes.

Immediate keys give an IntegrityError at the statement, also behind Citus; `_like` indexes are
23 relations a company that no query of ours uses. Source: reference/tenancy.md, sections 3, 6.
"""

from typing import Any

from django.db.backends.postgresql import schema


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """PostgreSQL's editor with those two differences."""

    sql_create_fk = schema.DatabaseSchemaEditor.sql_create_fk.replace("%(deferrable)s", "")
    sql_create_column_inline_fk = None  # type: ignore[assignment]  # Django asks whether it is set

    def _create_like_index_sql(self, model: Any, field: Any) -> None:
        return None
