"""The random secrets of an embedded installation, made once and kept in `.data/secrets.json`."""

import fcntl
import json
import os
import secrets
from pathlib import Path

from crm_platform.ops import places


def secret_key_of(data_dir: Path) -> str:
    """The secret key of `data_dir`; the first caller makes it, all others read it."""
    path = data_dir / "secrets.json"
    if not path.exists():
        places.prepare_data_dir(data_dir)
        _write_once(path, {"SECRET_KEY": secrets.token_urlsafe(48)})
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return content["SECRET_KEY"]


def backup_key_of(data_dir: Path) -> str:
    """The key that locks the backups of `data_dir`; the first caller makes it.

    Files written before there were backups get it added.
    """
    secret_key_of(data_dir)
    path = data_dir / "secrets.json"
    name = "BACKUP_KEY"
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    if name in content:
        return content[name]
    with (data_dir / ".secrets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        content = json.loads(path.read_text(encoding="utf-8"))
        if name not in content:
            content[name] = secrets.token_urlsafe(48)
            _draft_of(path, content).replace(path)
    return content[name]


def _write_once(path: Path, content: dict[str, str]) -> None:
    """Write a complete file under its name, or leave the one another process put there first."""
    draft = _draft_of(path, content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _draft_of(path: Path, content: dict[str, str]) -> Path:
    """A complete file beside `path`, on disk, readable by us alone."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    return draft
