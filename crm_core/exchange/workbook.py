"""Opening spreadsheets that strangers made: sizes are checked first, a limited child reads them."""

import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from crm_core.exchange import limits
from crm_platform.kernel.errors import Invalid

MARKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx (a zip) and old .xls files begin."""
BLOCK = 1 << 16
CHILD = Path(__file__).with_name("workbook_child.py")


def is_workbook(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) in MARKS


def demand_harmless(path: Path) -> None:
    """Unpack every part into nothing, counting, and refuse what grows too large.

    The sizes a zip states of itself are not believed.

    Raises:
        Invalid: too many parts, too large, packed too tightly, or no zip at all.
    """
    with path.open("rb") as stream:
        if stream.read(4) != MARKS[0]:
            return
    try:
        with zipfile.ZipFile(path) as packed, path.open("rb") as stream:
            parts = packed.infolist()
            if len(parts) > limits.PACKED_PARTS:
                raise limits.unpacks_too_large()
            total = 0
            for part in parts:
                total += _unpacked(stream, part, limits.UNPACKED_BYTES - total)
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError) as error:
        raise limits.not_a_workbook() from error


def _unpacked(stream: object, part: zipfile.ZipInfo, allowance: int) -> int:
    """Bytes of one part when unpacked.

    Raises:
        Invalid: more than `allowance`, or a ratio no honest file has.
    """
    assert hasattr(stream, "seek")
    assert hasattr(stream, "read")
    stream.seek(part.header_offset)
    header = stream.read(30)
    if len(header) < 30 or header[:4] != MARKS[0]:
        raise zipfile.BadZipFile
    skip = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    stream.seek(skip, 1)
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise limits.not_a_workbook()
    inflate = zlib.decompressobj(-15)
    left, size = part.compress_size, 0
    while left > 0:
        block = stream.read(min(BLOCK, left))
        if not block:
            raise zipfile.BadZipFile
        left -= len(block)
        if part.compress_type == zipfile.ZIP_STORED:
            size += len(block)
        else:
            while block:
                size += len(inflate.decompress(block, 1 << 20))
                block = inflate.unconsumed_tail
                _demand_ratio(size, part.compress_size - left, allowance)
        _demand_ratio(size, part.compress_size - left, allowance)
    return size


def _demand_ratio(size: int, packed: int, allowance: int) -> None:
    tight = size > limits.RATIO_MATTERS_FROM and size > limits.UNPACKED_RATIO * max(packed, 1)
    if size > allowance or tight:
        raise limits.unpacks_too_large()


class Sheet:
    """One sheet of a workbook, read by a child; `names` are all sheets."""

    def __init__(self, path: Path, wanted: str = "") -> None:
        """Start the child and learn the sheets' names.

        Raises:
            Invalid: it cannot be opened within the limits.
        """
        demand_harmless(path)
        allowed = [str(limits.CHILD_BYTES), str(limits.CHILD_SECONDS)]
        self._child = subprocess.Popen(  # noqa: S603  our own interpreter and script
            [sys.executable, "-I", str(CHILD), str(path), wanted, *allowed],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True,
            encoding="utf-8",
        )  # fmt: skip
        assert self._child.stdout is not None
        self._lines = self._child.stdout
        first = self._lines.readline()
        if not first:
            raise self._fault()
        told = json.loads(first)
        self.names: list[str] = told["sheets"]
        self.name: str = told["sheet"]

    def rows(self) -> Iterator[list[str]]:
        """Every row, empty ones too.

        Raises:
            Invalid: the child ran out of memory or time on the way.
        """
        for line in self._lines:
            yield json.loads(line)
        if self._child.wait() != 0:
            raise self._fault()

    def close(self) -> None:
        """End the child, whatever it does."""
        self._child.kill()
        self._lines.close()
        self._child.wait()

    def _fault(self) -> Invalid:
        status = self._child.wait()
        # A child that hit its limits is ended by a signal, or says MemoryError (status 1) early.
        return limits.unpacks_too_large() if status < 0 else limits.not_a_workbook()
