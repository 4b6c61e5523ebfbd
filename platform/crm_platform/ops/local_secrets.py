"""The random secret of an embedded installation, made once and kept in `.data/secrets.json`."""

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


def _write_once(path: Path, content: dict[str, str]) -> None:
    """Write a complete file under its name, or leave the one another process put there first."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
