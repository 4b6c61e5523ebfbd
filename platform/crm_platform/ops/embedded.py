"""PostgreSQL and Redis on a bare machine: `start()` and `stop()`, for any number of processes.

Whoever uses the servers holds a shared lock as long as it lives; the last one to let go stops them.
"""

import atexit
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crm_platform.ops import embedded_postgres, embedded_redis, places
from crm_platform.ops import embedded_process as process
from crm_platform.ops.database_roles import (
    APP,
    OWNER,
    create_database,
    database_bootstrap_statements,
)
from crm_platform.ops.embedded_postgres import Cluster
from crm_platform.ops.environment import database_address
from crm_platform.ops.places import EmbeddedError

__all__ = [
    "EmbeddedError",
    "Servers",
    "create_database",
    "database_bootstrap_statements",
    "for_tests",
    "is_running",
    "release",
    "reset",
    "running",
    "servers_of",
    "start",
    "stop",
]

OURS = (
    "postgres", "redis", "logs", "media", "static", "backups", "secrets.json", ".secrets.lock",
    "sign-ins.json",
)  # fmt: skip
_held: dict[Path, IO[bytes]] = {}
"""The shared locks of this process, by data folder."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The addresses of one data folder's servers; none needs a password (private sockets)."""

    data_dir: Path
    database_url: str
    owner_url: str
    superuser_url: str
    redis_url: str

    def variables(self) -> dict[str, str]:
        """The same, as the environment variables that settings read."""
        return {
            "RAPPORT_DATA": str(self.data_dir),
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": self.owner_url,
            "REDIS_URL": self.redis_url,
        }


def servers_of(data_dir: Path) -> Servers:
    """The addresses that `start(data_dir)` answers at; starts nothing."""
    return Servers(
        data_dir=data_dir,
        database_url=database_address(data_dir, login=APP),
        owner_url=database_address(data_dir, login=OWNER),
        superuser_url=Cluster(data_dir).superuser_url,
        redis_url=f"unix://{places.redis_socket(data_dir)}?db=0",
    )


def start(data_dir: Path, *, careless: bool = False, keep: bool = False) -> Servers:
    """Start both servers, or join those that run; they stop when their last user ends.

    Idempotent, and safe in several processes at once. `careless` is for tests: no fsync. `keep`
    leaves them running until somebody calls `stop`.

    Raises:
        EmbeddedError: a sentence saying which server cannot run, and why.
    """
    data_dir = data_dir.absolute()
    try:
        places.prepare_data_dir(data_dir)
        places.make_private(data_dir / "logs")
        places.make_private(
            places.runtime_dir(data_dir), mode=0o711 if os.geteuid() == 0 else 0o700
        )
        with process.exclusively(data_dir / "start.lock"):
            embedded_postgres.start(Cluster(data_dir, careless=careless))
            embedded_redis.start(data_dir)
            if not keep:
                _hold(data_dir)
    except OSError as error:
        raise EmbeddedError(f"The embedded servers cannot use {data_dir}: {error}.") from error
    return servers_of(data_dir)


def for_tests() -> Servers:
    """Servers for tests, without fsync, in RAPPORT_DATA or else in `.data/test`."""
    data_dir = places.data_dir(os.environ)
    return start(data_dir if os.environ.get("RAPPORT_DATA") else data_dir / "test", careless=True)


@contextmanager
def running(data_dir: Path) -> Iterator[Servers]:
    """Servers for the length of a block."""
    servers = start(data_dir)
    try:
        yield servers
    finally:
        release(data_dir)


def is_running(data_dir: Path) -> bool:
    """Whether either server of the folder lives."""
    return embedded_postgres.is_running(Cluster(data_dir)) or embedded_redis.is_running(data_dir)


def release(data_dir: Path) -> None:
    """Let go of the servers; they stop if nobody else uses them."""
    data_dir = data_dir.absolute()
    if data_dir not in _held or not data_dir.exists():
        return
    with process.exclusively(data_dir / "start.lock"):
        _held.pop(data_dir).close()
        if not process.is_locked(_users_lock(data_dir)):
            _stop_both(data_dir)


def stop(data_dir: Path) -> None:
    """Stop both servers, whoever uses them."""
    data_dir = data_dir.absolute()
    if not data_dir.exists():
        return
    with process.exclusively(data_dir / "start.lock"):
        if data_dir in _held:
            _held.pop(data_dir).close()
        _stop_both(data_dir)


def reset(data_dir: Path) -> None:
    """Stop both servers and delete everything that Rapport keeps in the folder, nothing else."""
    stop(data_dir)
    embedded_postgres.remove(Cluster(data_dir))
    for name in OURS:
        path = data_dir / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _stop_both(data_dir: Path) -> None:
    embedded_redis.stop(data_dir)
    embedded_postgres.stop(Cluster(data_dir))
    shutil.rmtree(places.runtime_dir(data_dir), ignore_errors=True)


def _hold(data_dir: Path) -> None:
    if data_dir in _held:
        return
    stream = _users_lock(data_dir).open("ab")
    fcntl.flock(stream, fcntl.LOCK_SH)
    if not _held:
        atexit.register(_release_all)
    _held[data_dir] = stream


def _users_lock(data_dir: Path) -> Path:
    return data_dir / "users.lock"


def _release_all() -> None:
    for data_dir in list(_held):
        release(data_dir)


def _forget_in_child() -> None:
    """A forked child is no user: its parent is, and its copy of the lock would outlive it."""
    for stream in _held.values():
        stream.close()
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)
