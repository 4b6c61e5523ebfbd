"""Encryption of a stream: AES-256-GCM in chunks, so that a change or a missing end is noticed.

Layout: `MAGIC`, 8 bytes that name the key, 32 bytes of salt, then chunks: four bytes (the length
of the plain text, the highest bit set on the last chunk), the cipher text and its tag. Each file
has a key of its own (HKDF-SHA256 of the configured key and the salt), so that a counter may be the
nonce. The nonce holds the number of the chunk and whether it is the last: chunks cannot be left
out, repeated, swapped or added. Source: Hoang, Reyhanitabar, Rogaway, Vizár, Online Authenticated
Encryption (the STREAM construction).
"""

import hashlib
import os
from collections.abc import Sequence
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenants.backups import refusals

MAGIC = b"RAPPORT-BACKUP-1\n"
NAME, SALT, CHUNK, TAG = 8, 32, 1 << 18, 16
HEAD = len(MAGIC) + NAME + SALT
LAST = 1 << 31


def key_name(key: str) -> bytes:
    """What a key is called in a file: says nothing about the key itself."""
    return hashlib.sha256(b"rapport backup key name:" + key.encode()).digest()[:NAME]


def _cipher(key: str, salt: bytes) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"rapport backup").derive(
        key.encode()
    )
    return AESGCM(derived)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class Sealer:
    """Writes what it is given to `out`, encrypted; `close` writes the authenticated end."""

    def __init__(self, out: BinaryIO, key: str) -> None:
        salt = os.urandom(SALT)
        self._head = MAGIC + key_name(key) + salt
        self._out, self._cipher = out, _cipher(key, salt)
        self._kept, self._number, self._digest = bytearray(), 0, hashlib.sha256()
        self.size = 0
        self._put(self._head)

    @property
    def checksum(self) -> str:
        """SHA-256 of all that was written to `out`."""
        return self._digest.hexdigest()

    def write(self, block: bytes) -> int:
        """Encrypt whole chunks; the rest waits."""
        self._kept += block
        while len(self._kept) > CHUNK:
            self._seal(bytes(self._kept[:CHUNK]), is_last=False)
            del self._kept[:CHUNK]
        return len(block)

    def close(self) -> None:
        """Write what waits as the last chunk."""
        self._seal(bytes(self._kept), is_last=True)
        self._kept.clear()

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        length = len(plain) | (LAST if is_last else 0)
        self._put(length.to_bytes(4, "big"))
        nonce = _nonce(self._number, is_last=is_last)
        self._put(self._cipher.encrypt(nonce, plain, self._head))
        self._number += 1

    def _put(self, block: bytes) -> None:
        self._out.write(block)
        self._digest.update(block)
        self.size += len(block)


class Opener:
    """Reads what a `Sealer` wrote; gives out nothing that is not authenticated.

    Raises:
        ArchiveRefused: no backup, an unknown key, a changed byte or a missing end.
    """

    def __init__(self, stream: BinaryIO, keys: Sequence[str]) -> None:
        self._stream = stream
        self._head = stream.read(HEAD)
        if not self._head.startswith(MAGIC):
            raise refusals.foreign_file()
        if len(self._head) < HEAD:
            raise refusals.cut_short()
        wanted = self._head[len(MAGIC) : len(MAGIC) + NAME]
        found = next((key for key in keys if key_name(key) == wanted), None)
        if found is None:
            raise refusals.unknown_key()
        self._cipher = _cipher(found, self._head[-SALT:])
        self._kept, self._number, self._ended = bytearray(), 0, False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the authenticated end."""
        while len(self._kept) < size and not self._ended:
            self._kept += self._next()
        block = bytes(self._kept[:size])
        del self._kept[:size]
        return block

    def finish(self) -> None:
        """Read to the end, so that a cut-off one is noticed although nobody wanted the rest."""
        while not self._ended:
            self._next()

    def _next(self) -> bytes:
        said = self._stream.read(4)
        if len(said) < 4:
            raise refusals.cut_short()
        length = int.from_bytes(said, "big")
        is_last, length = bool(length & LAST), length & ~LAST
        if length > CHUNK:
            raise refusals.damaged()
        sealed = self._stream.read(length + TAG)
        if len(sealed) < length + TAG:
            raise refusals.cut_short()
        nonce = _nonce(self._number, is_last=is_last)
        try:
            plain = self._cipher.decrypt(nonce, sealed, self._head)
        except InvalidTag as error:
            raise refusals.damaged() from error
        self._number += 1
        self._ended = is_last
        if is_last and self._stream.read(1):
            raise refusals.damaged()
        return plain
