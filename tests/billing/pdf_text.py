"""The words of a PDF that our own invoices are made of: Latin, and Chinese in the reader's font.

Only what reportlab writes for such pages; no reader of PDF in general.
"""

import base64
import re
import zlib

STREAM = re.compile(
    rb"/Filter \[ /ASCII85Decode /FlateDecode \].*?stream\r?\n(.*?)endstream", re.DOTALL
)
PIECE = re.compile(rb"/(F\d+(?:\+\d+)?) [\d.]+ Tf|1 0 0 1 ([\d.]+) ([\d.]+) Tm|"
                   rb"\(((?:[^()\\]|\\.)*)\) Tj", re.DOTALL)  # fmt: skip
ESCAPE = re.compile(rb"\\([0-7]{3}|[nrtbf()\\])")
NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def lines_of(made: bytes) -> list[str]:
    """Every line of the first page from the top down, its words from left to right."""
    wide = _wide_fonts(made)
    words: list[tuple[float, float, str]] = []
    for stream in STREAM.findall(made):
        x = y = 0.0
        font = b""
        for found in PIECE.finditer(
            zlib.decompress(
                base64.a85decode(stream.strip(), adobe=False)
                if not stream.strip().endswith(b"~>")
                else base64.a85decode(b"<~" + stream.strip(), adobe=True)
            )
        ):
            name, left, height, text = found.groups()
            if name:
                font = name
            elif left:
                x, y = float(left), float(height)
            elif text is not None:
                raw = ESCAPE.sub(_unescaped, text)
                coding = "utf-16-be" if font in wide else "cp1252"
                words.append((-y, x, raw.decode(coding)))
    rows: dict[float, list[str]] = {}
    for height, _x, text in sorted(words):
        rows.setdefault(height, []).append(text)
    return ["  ".join(row) for row in rows.values()]


def _unescaped(found: re.Match[bytes]) -> bytes:
    said = found[1]
    return bytes([int(said, 8)]) if said.isdigit() else NAMED.get(said, said)


def _wide_fonts(made: bytes) -> set[bytes]:
    """The page's names of fonts whose text is UTF-16."""
    names = set()
    for found in re.finditer(rb"/Encoding /Uni\S+ /Name /(F\d+)|/Name /(F\d+)[^>]*?/Subtype /Type0",
                             made, re.DOTALL):  # fmt: skip
        names.add(found[1] or found[2])
    return names
