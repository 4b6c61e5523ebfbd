"""Where archives lie: in a directory (here), or in a bucket (`backups.s3`).

The setting `BACKUP_STORE` names the class.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

DRAFT = ".draft-"


class Store(Protocol):
    """Named archives; a name stands only once its archive is there whole."""

    def writing(self, name: str) -> AbstractContextManager[BinaryIO]: ...

    def reading(self, name: str) -> BinaryIO: ...

    def size(self, name: str) -> int: ...

    def remove(self, name: str) -> None: ...

    def names(self, prefix: str) -> list[str]: ...

    def remove_drafts(self, *, older_than: float) -> int: ...


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of an archive's name.

    Raises:
        ValueError: it would lead out of the store.
    """
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
        raise ValueError("Not a name of this store.")
    return parts


class Directory:
    """Archives as files below `settings.BACKUP_DIR`, readable by us alone."""

    def __init__(self) -> None:
        self._root = Path(settings.BACKUP_DIR)

    def _path(self, name: str) -> Path:
        return self._root.joinpath(*parts_of(name))

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Give a file to write; it gets its name when the block ends without an error."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{DRAFT}{secrets.token_hex(8)}")
        try:
            with open(draft, "xb", opener=_private) as out:
                yield cast("BinaryIO", out)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(path)
            _sync_folder(path.parent)
        finally:
            draft.unlink(missing_ok=True)

    def reading(self, name: str) -> BinaryIO:
        """The archive, to read from its start.

        Raises:
            FileNotFoundError: it is gone.
        """
        return self._path(name).open("rb")

    def size(self, name: str) -> int:
        return self._path(name).stat().st_size

    def remove(self, name: str) -> None:
        """Remove an archive; an absent one is fine."""
        self._path(name).unlink(missing_ok=True)

    def names(self, prefix: str) -> list[str]:
        """The archives below `prefix`, by name."""
        folder = self._path(prefix)
        paths = sorted(folder.rglob("*")) if folder.is_dir() else []
        return [
            path.relative_to(self._root).as_posix()
            for path in paths
            if path.is_file() and not path.name.startswith(DRAFT)
        ]

    def remove_drafts(self, *, older_than: float) -> int:
        """Remove what dead processes left half-written before `older_than` (seconds of the epoch).

        Says how many.
        """
        removed = 0
        for path in self._root.rglob(f"{DRAFT}*") if self._root.is_dir() else ():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    removed += 1
        return removed


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def store() -> Store:
    """The store of this installation."""
    made: Store = import_string(settings.BACKUP_STORE)()
    return made
