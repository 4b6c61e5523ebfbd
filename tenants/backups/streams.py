"""Between PostgreSQL's COPY, the files on disk and an archive: piece by piece, never a whole table.

Everything here speaks as the owner, in one transaction that its caller opened.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings

from tenants.backups.archive import PIECE, Member, Tally, Writer
from tenants.backups.catalogue import Table

Beat = Callable[[], None]
"""Called now and then during long work, to say that somebody is still at it."""


def pieces(raw: Any, schema: str, table: Table) -> Iterator[bytes]:
    """The rows of a table as COPY text, in pieces of whole lines."""
    kept: list[bytes] = []
    size = 0
    with raw.cursor() as cursor, cursor.copy(table.out(schema)) as copy:
        for block in copy:
            kept.append(bytes(block))
            size += len(block)
            if size >= PIECE:
                yield b"".join(kept)
                kept.clear()
                size = 0
    if kept:
        yield b"".join(kept)


def table_out(raw: Any, schema: str, table: Table, out: Writer, beat: Beat) -> Tally:
    """Write a table's rows into the archive."""
    tally = Tally()
    for block in pieces(raw, schema, table):
        tally.add(block)
        out.add_piece(table.name, block)
        beat()
    return tally


def table_in(raw: Any, schema: str, table: Table, found: Iterator[Member], beat: Beat) -> Tally:
    """Bring a table's pieces into the (empty) table."""
    tally = Tally()
    with raw.cursor() as cursor, cursor.copy(table.into(schema)) as copy:
        for member in found:
            block = member.unpacked()
            tally.add(block)
            copy.write(block)
            beat()
    return tally


def tally_of(raw: Any, schema: str, table: Table, beat: Beat) -> Tally:
    """Rows and checksum of a table as it stands."""
    tally = Tally()
    for block in pieces(raw, schema, table):
        tally.add(block)
        beat()
    return tally


def folder_of(company_id: UUID) -> Path:
    """Where a company's files lie."""
    return Path(settings.MEDIA_ROOT) / str(company_id)


class _Hashed:
    """A stream that is summed while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.digest = stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self.digest.update(block)
        return block


def files_out(folder: Path, out: Writer, beat: Beat) -> Tally:
    """Write every file below `folder` into the archive; one that goes meanwhile is passed over."""
    tally = Tally()
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            continue
        with stream:
            size = os.fstat(stream.fileno()).st_size
            hashed = _Hashed(stream)
            out.add_file(name, hashed, size)  # type: ignore[arg-type]  # only read() is used
        tally.add_file(name, size, hashed.digest.hexdigest())
        beat()
    return tally


def file_in(folder: Path | None, member: Member, tally: Tally) -> None:
    """Write one file below `folder`; without a folder only read it."""
    digest, size = hashlib.sha256(), 0
    out = None
    if folder is not None:
        path = folder / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        out = path.open("xb")
    try:
        while block := member.stream.read(PIECE):
            digest.update(block)
            size += len(block)
            if out:
                out.write(block)
    finally:
        if out:
            out.close()
    tally.add_file(member.name, size, digest.hexdigest())
