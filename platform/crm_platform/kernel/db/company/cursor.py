"""A cursor that knows whether its transaction was begun."""

from typing import Any, Protocol, Self

import psycopg


class Unit(Protocol):
    """What a cursor asks of the wrapper it belongs to."""

    only_asks: bool
    """Whether nothing but plain questions were asked in the transaction."""

    @property
    def to_begin(self) -> object | None:
        """None once PostgreSQL was told of the transaction."""

    def begin(self, cursor: "Cursor | None" = None) -> None: ...

    def begin_with(self, cursor: "Cursor", query: Any, params: Any) -> None: ...


def is_question(query: Any) -> bool:
    """Whether a statement reads tables and locks nothing: a function by itself may do anything."""
    is_select = isinstance(query, str) and query.startswith("SELECT") and " FROM " in query
    return is_select and " FOR " not in query


class Cursor(psycopg.ClientCursor[Any]):
    """A cursor whose first statement begins the transaction, if none began it yet."""

    unit: Unit | None = None
    """Whose transaction; None for a cursor that psycopg opens for itself."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        if self.unit is None:
            return super().execute(query, params, **options)
        if self.unit.only_asks:
            self.unit.only_asks = is_question(query)
        if self.unit.to_begin is None:
            return super().execute(query, params, **options)
        self.unit.begin_with(self, query, params)
        return self

    def executemany(self, *args: Any, **options: Any) -> None:
        self._begun()
        super().executemany(*args, **options)

    def copy(self, *args: Any, **options: Any) -> Any:
        self._begun()
        return super().copy(*args, **options)

    def stream(self, *args: Any, **options: Any) -> Any:
        self._begun()
        return super().stream(*args, **options)

    def run(self, query: Any, params: Any = None) -> Self:
        """Just run it, in whatever transaction there is."""
        return super().execute(query, params)

    def move_to(self, connection: Any) -> None:
        """Go on over another connection; what was found over the last one is forgotten."""
        super().__init__(connection)

    def _begun(self) -> None:
        if self.unit is None:
            return
        self.unit.only_asks = False
        if self.unit.to_begin is not None:
            self.unit.begin(self)
