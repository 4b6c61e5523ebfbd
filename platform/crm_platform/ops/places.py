"""Where the embedded servers keep their files and sockets, as root and as a normal user."""

import hashlib
import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path

SERVER_USER = "nobody"
"""Whom PostgreSQL runs as when we are root (it refuses to run as root)."""
ROOTS_OWN = Path("/var/lib/rapport")
"""Where root's data goes when the server's user cannot walk to the data folder."""


class EmbeddedError(Exception):
    """The embedded servers cannot run: `str(error)` is a sentence fit to show."""


def data_dir(variables: Mapping[str, str]) -> Path:
    """RAPPORT_DATA, or `.data` of the source tree, or `.data` of the folder we are in."""
    said = variables.get("RAPPORT_DATA", "").strip()
    if said:
        return Path(said).expanduser().absolute()
    tree = Path(__file__).resolve().parents[3]
    return (tree if (tree / "pyproject.toml").exists() else Path.cwd()) / ".data"


def runtime_dir(data: Path) -> Path:
    """The short folder of the sockets: a socket's path must stay under 107 bytes."""
    digest = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]
    return Path("/tmp") / f"rapport-{os.geteuid()}-{digest}"  # noqa: S108  checked by make_private


def postgres_socket_dir(data: Path) -> Path:
    return runtime_dir(data) / "postgres"


def redis_socket(data: Path) -> Path:
    return runtime_dir(data) / "redis" / "redis.sock"


def prepare_data_dir(data: Path) -> None:
    """Make the data folder if it is missing; one that exists keeps its mode (it may be anybody's).

    As root others may walk through it, because PostgreSQL runs as another user; what lies in it
    has its own lock.
    """
    data.mkdir(parents=True, exist_ok=True, mode=passable_mode())


def passable_mode() -> int:
    """The mode of a folder with servers below it: as root, others walk through and list nothing."""
    return 0o711 if os.geteuid() == 0 else 0o700


def make_private(folder: Path, *, owner: int | None = None, mode: int = 0o700) -> None:
    """Make `folder` ours alone (or `owner`'s), and refuse one that somebody else put there.

    Raises:
        EmbeddedError: the name is taken by another user's folder or by a link.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    status = folder.lstat()
    allowed = {os.geteuid(), owner if owner is not None else os.geteuid()}
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in allowed:
        raise EmbeddedError(
            f"{folder} belongs to another user (uid {status.st_uid}): "
            "remove it, or set RAPPORT_DATA."
        )
    if owner is not None and status.st_uid != owner:
        os.chown(folder, owner, -1)
    if stat.S_IMODE(status.st_mode) != mode:
        folder.chmod(mode)


def server_account() -> pwd.struct_passwd | None:
    """Whom PostgreSQL has to run as; None means as ourselves."""
    if os.geteuid() != 0:
        return None
    name = os.environ.get("RAPPORT_POSTGRES_USER", SERVER_USER)
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root and this machine has no user named {name}: "
            "set RAPPORT_POSTGRES_USER to one it has, or start as a normal user."
        ) from None


def can_walk_to(folder: Path, account: pwd.struct_passwd) -> bool:
    """Whether `account` may enter every folder above `folder` (that need not exist yet)."""
    groups = set(os.getgrouplist(account.pw_name, account.pw_gid))
    above = [parent for parent in folder.resolve().parents if parent.exists()]
    return all(_may_enter(parent.stat(), account.pw_uid, groups) for parent in above)


def _may_enter(status: os.stat_result, user: int, groups: set[int]) -> bool:
    if status.st_uid == user:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid in groups:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def roots_own(data: Path) -> Path:
    """A folder every user can walk to, for this data folder only."""
    return ROOTS_OWN / hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]
