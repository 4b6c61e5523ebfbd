"""One company into one archive, and reading it back whole."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

from psycopg.sql import SQL

from tenants.backups import archive, catalogue, refusals, rules, streams
from tenants.backups.archive import Tally
from tenants.models import Company

Tallies = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive says it holds, and that this is what was found in it."""

    header: dict[str, Any]
    manifest: dict[str, Any]

    @property
    def company_id(self) -> UUID:
        return UUID(self.header["company"]["id"])

    @property
    def tables(self) -> list[catalogue.Table]:
        return [catalogue.table_of(said) for said in self.header["tables"]]

    @property
    def migrations(self) -> frozenset[tuple[str, str]]:
        return frozenset((app, name) for app, name in self.header["migrations"])

    @property
    def tallies(self) -> Tallies:
        """Table → rows, size and checksum."""
        found: Tallies = self.manifest["tables"]
        return found

    @property
    def row_count(self) -> int:
        return sum(tally["rows"] for tally in self.tallies.values())


@dataclass(frozen=True, slots=True)
class Made:
    """What was written."""

    contents: Contents
    size: int
    checksum: str


def dump(*, company: Company, out: BinaryIO, key: str, at: dt.datetime, beat: streams.Beat) -> Made:
    """Write everything of `company` to `out`: one moment of its tables, then its files.

    Files have names that are never used twice, so that those of the tables' moment are still the
    same when they are read after it.
    """
    raw, schema = catalogue.owner(), company.schema_name
    writer = archive.Writer(out, key)
    with raw.transaction():
        raw.execute(SQL("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        raw.execute(catalogue.SAME_TEXT)
        header = _header(raw, company, at)
        writer.add_json(archive.HEADER, header)
        tallies = {
            table["name"]: streams.table_out(
                raw, schema, catalogue.table_of(table), writer, beat
            ).as_json()
            for table in header["tables"]
        }
        sequences = catalogue.sequences(raw, schema)
    files = streams.files_out(streams.folder_of(company.pk), writer, beat)
    manifest = {"tables": tallies, "sequences": sequences, "files": files.as_json()}
    writer.add_json(archive.MANIFEST, manifest)
    writer.close()
    return Made(Contents(header, manifest), writer.sealer.size, writer.sealer.checksum)


def _header(raw: Any, company: Company, at: dt.datetime) -> dict[str, Any]:
    return {
        "format": archive.FORMAT,
        "company": {"id": str(company.pk), "name": company.name, "slug": company.slug},
        "made_at": at.isoformat(),
        "release": company.release,
        "migrations": catalogue.migrations(raw, company.schema_name),
        "tables": [table.as_json() for table in catalogue.tables(raw, company.schema_name)],
        "file_columns": catalogue.file_columns(),
        "left_out": list(rules.LEFT_OUT),
    }


def read_back(stream: BinaryIO, keys: list[str]) -> Contents:
    """Read an archive from end to end and compare it with what it says of itself.

    Raises:
        ArchiveRefused: it is damaged, cut short, locked with an unknown key, or none of ours.
    """
    header: dict[str, Any] = {}
    manifest: dict[str, Any] = {}
    tables: dict[str, Tally] = defaultdict(Tally)
    files = Tally()
    for member in archive.members(stream, keys):
        if member.kind == "header":
            header = member.parsed()
        elif member.kind == "manifest":
            manifest = member.parsed()
        elif member.kind == "table":
            tables[member.name].add(member.unpacked())
        else:
            streams.file_in(None, member, files)
    if not header or not manifest or header.get("format") != archive.FORMAT:
        raise refusals.damaged()
    contents = Contents(header, manifest)
    found = {table.name: tables[table.name].as_json() for table in contents.tables}
    if found != contents.tallies or files.as_json() != manifest["files"]:
        raise refusals.damaged()
    return contents
