"""An archive into a new, empty schema: all of it and equal to the archive, or nothing."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.db.migrations.loader import MigrationLoader
from psycopg.sql import SQL, Composed, Identifier

from tenants import provisioning
from tenants.backups import archive, catalogue, refusals, streams
from tenants.backups.archive import Tally
from tenants.backups.dumping import Contents


@dataclass(frozen=True, slots=True)
class Compared:
    """One table (or the files): what the archive has and what stands now."""

    name: str
    rows: int
    found_rows: int
    checksum: str
    found_checksum: str

    @property
    def is_equal(self) -> bool:
        return (self.rows, self.checksum) == (self.found_rows, self.found_checksum)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "rows": self.rows, "found_rows": self.found_rows,
            "checksum": self.checksum, "found_checksum": self.found_checksum,
        }  # fmt: skip


def demand_known_release(contents: Contents) -> None:
    """Refuse what a newer release wrote.

    Raises:
        ArchiveRefused: it knows migrations that this code does not have.
    """
    known = set(MigrationLoader(None).disk_migrations or ())
    if contents.migrations - known:
        raise refusals.is_newer()


def load(
    *, contents: Contents, stream: BinaryIO, keys: list[str], schema: str, new_id: UUID,
    beat: streams.Beat,
) -> list[Compared]:  # fmt: skip
    """Make `schema` as the archive's release had it, fill it, compare, and bring it up to date.

    `contents` is what `read_back` gave for the same archive. Returns one comparison a table, the
    files last.

    Raises:
        ArchiveRefused: something differs; the schema is to be removed.
    """
    demand_known_release(contents)
    is_current = contents.migrations == frozenset(provisioning.company_migrations())
    provisioning.build_schema(schema, applied=None if is_current else contents.migrations)
    raw = catalogue.owner()
    with raw.transaction():
        raw.execute(catalogue.SAME_TEXT)
        raw.execute(SQL("SET LOCAL search_path TO {}").format(Identifier(schema)))
        again = take_off(raw, schema)
        files = _fill(raw, contents, stream, keys, schema, streams.folder_of(new_id), beat)
        for statement in again:
            raw.execute(statement)
        _set_sequences(raw, contents, schema)
        compared = _compare(raw, contents, schema, files, beat)
        wrong = [each.name for each in compared if not each.is_equal]
        if wrong:
            raise refusals.differs(wrong)
        _rename_files(raw, contents, schema, new_id)
    if not is_current:
        provisioning.migrate_schema(schema)
    provisioning.demand_whole(schema)
    analyze(raw, schema)
    return compared


def take_off(raw: Any, schema: str) -> list[SQL]:
    """Drop what slows filling down; returns the statements that put it back.

    Foreign keys are checked at once when they come back, so the tables may be filled in any order.
    """
    keys = raw.execute(
        "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE connamespace = %s::regnamespace AND contype = 'f'",
        [schema],
    ).fetchall()
    indexes = raw.execute(
        "SELECT c.relname::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relnamespace = %s::regnamespace AND NOT i.indisunique AND c.relkind = 'i'",
        [schema],
    ).fetchall()
    for table, name, _definition in keys:
        raw.execute(SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(SQL(table), Identifier(name)))
    for name, _definition in indexes:
        raw.execute(SQL("DROP INDEX {}").format(Identifier(schema, name)))
    back = [SQL(definition) for _name, definition in indexes]
    for table, name, definition in keys:
        quoted = Identifier(name).as_string(raw)
        back.append(SQL(f"ALTER TABLE {table} ADD CONSTRAINT {quoted} {definition}"))
    return back


def _fill(
    raw: Any, contents: Contents, stream: BinaryIO, keys: list[str], schema: str, folder: Path,
    beat: streams.Beat,
) -> Tally:  # fmt: skip
    tables = {table.name: table for table in contents.tables}
    files = Tally()
    found = archive.members(stream, keys)
    for (kind, name), group in groupby(found, key=lambda member: (member.kind, member.name)):
        if kind == "table":
            streams.table_in(raw, schema, tables[name], group, beat)
        elif kind == "file":
            for member in group:
                streams.file_in(folder, member, files)
                beat()
    return files


def _set_sequences(raw: Any, contents: Contents, schema: str) -> None:
    for name, (value, is_called) in contents.manifest["sequences"].items():
        raw.execute(
            "SELECT setval(%s::regclass, %s, %s)",
            [Identifier(schema, name).as_string(raw), value, is_called],
        )


def _compare(
    raw: Any, contents: Contents, schema: str, files: Tally, beat: streams.Beat
) -> list[Compared]:
    found = {
        table.name: streams.tally_of(raw, schema, table, beat).as_json()
        for table in contents.tables
    }
    rows = [
        Compared(name, said["rows"], found[name]["rows"], said["checksum"], found[name]["checksum"])
        for name, said in contents.tallies.items()
    ]
    said, here = contents.manifest["files"], files.as_json()
    return [
        *rows, Compared("files", said["rows"], here["rows"], said["checksum"], here["checksum"])
    ]  # fmt: skip


def _rename_files(raw: Any, contents: Contents, schema: str, new_id: UUID) -> None:
    """A file's name begins with its company's id: rows of the copy name the copy's own files."""
    old = str(contents.company_id)
    for table, column in contents.header["file_columns"]:
        raw.execute(_rename(schema, table, column), [str(new_id), len(old) + 1, f"{old}/%"])


def _rename(schema: str, table: str, column: str) -> Composed:
    return SQL("UPDATE {table} SET {column} = %s || substr({column}, %s) WHERE {column} LIKE %s")\
        .format(table=Identifier(schema, table), column=Identifier(column))  # fmt: skip


def analyze(raw: Any, schema: str) -> None:
    """Tell the planner what came in; without it the first pages are slow."""
    rows = raw.execute(
        "SELECT relname::text FROM pg_class WHERE relnamespace = %s::regnamespace"
        " AND relkind = 'r' AND reltuples < 0",
        [schema],
    ).fetchall()
    for (name,) in rows:
        raw.execute(SQL("ANALYZE {}").format(Identifier(schema, name)))
