"""The format of an archive: a tar of gzipped pieces, sealed; written and read as a stream.

`header.json` first (whose data, at which migrations, which tables), then `tables/<table>/<n>.gz`
(COPY text), then `files/<path>`, and `manifest.json` last (rows and checksums, so that none of it
must be known beforehand). Nothing is ever held whole: the largest piece has `PIECE` bytes.
"""

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from tenants.backups import refusals
from tenants.backups.sealing import Opener, Sealer

PIECE = 1 << 18
HEADER, MANIFEST = "header.json", "manifest.json"
FORMAT = 1
_GZIP = 31


@dataclass(slots=True)
class Tally:
    """Rows (or files) of one stream, counted and summed while it passes."""

    rows: int = 0
    size: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, block: bytes) -> None:
        """Count COPY text: a line is a row, a line break inside a value is escaped there."""
        self.rows += block.count(b"\n")
        self.size += len(block)
        self._digest.update(block)

    def add_file(self, name: str, size: int, checksum: str) -> None:
        self.rows += 1
        self.size += size
        self._digest.update(f"{name} {size} {checksum}\n".encode())

    def as_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "size": self.size, "checksum": self._digest.hexdigest()}


class Writer:
    """Writes the members of an archive in order; use as a context, its end seals."""

    def __init__(self, out: BinaryIO, key: str) -> None:
        self.sealer = Sealer(out, key)
        self._tar = tarfile.open(  # noqa: SIM115  closed by close
            fileobj=cast("BinaryIO", self.sealer), mode="w|", format=tarfile.PAX_FORMAT
        )
        self._pieces = 0

    def close(self) -> None:
        self._tar.close()
        self.sealer.close()

    def add_json(self, name: str, value: Any) -> None:
        self._add(name, json.dumps(value, ensure_ascii=False).encode())

    def add_piece(self, table: str, block: bytes) -> None:
        """Add some more of a table's COPY text."""
        packed = zlib.compress(block, 1, _GZIP)
        self._add(f"tables/{table}/{self._pieces:08}.gz", packed)
        self._pieces += 1

    def add_file(self, name: str, stream: BinaryIO, size: int) -> None:
        """Add a file of exactly `size` bytes."""
        info = tarfile.TarInfo(f"files/{name}")
        info.size = size
        self._tar.addfile(info, stream)
        self._forget()

    def _add(self, name: str, block: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(block)
        self._tar.addfile(info, io.BytesIO(block))
        self._forget()

    def _forget(self) -> None:
        # tarfile keeps every member it wrote, for `getmembers`; an archive may have 100,000.
        self._tar.members.clear()  # type: ignore[attr-defined]  # typeshed leaves it out


@dataclass(frozen=True, slots=True)
class Member:
    """One piece of an archive.

    `kind` is header, table, file or manifest; `name` the table's or the file's.
    """

    kind: str
    name: str
    stream: BinaryIO

    def unpacked(self) -> bytes:
        """A table's piece as COPY text."""
        return zlib.decompress(self.stream.read(), _GZIP)

    def parsed(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.stream.read())
        return said


def members(stream: BinaryIO, keys: list[str]) -> Iterator[Member]:
    """The members in order; each must be read before the next is asked for.

    Raises:
        ArchiveRefused: the archive is no whole, unchanged one of ours.
    """
    opener = Opener(stream, keys)
    try:
        with tarfile.open(fileobj=cast("BinaryIO", opener), mode="r|") as tar:
            for info in tar:
                found = tar.extractfile(info)
                if found is None:
                    raise refusals.damaged()
                yield _member(info.name, cast("BinaryIO", found))
                tar.members.clear()  # type: ignore[attr-defined]  # typeshed leaves it out
    except (tarfile.TarError, zlib.error) as error:
        raise refusals.damaged() from error
    opener.finish()


def _member(name: str, stream: BinaryIO) -> Member:
    if name == HEADER:
        return Member("header", name, stream)
    if name == MANIFEST:
        return Member("manifest", name, stream)
    kind, _slash, rest = name.partition("/")
    if kind == "tables":
        return Member("table", rest.rpartition("/")[0], stream)
    parts = PurePosixPath(rest).parts
    if kind != "files" or not parts or ".." in parts or rest.startswith("/"):
        raise refusals.damaged()
    return Member("file", rest, stream)
