"""One worker at a thing: a lock of the owner's session, which ends with its process."""

from collections.abc import Iterator
from contextlib import contextmanager

from tenants.backups.catalogue import owner


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Hold the lock of that name for the block; False where another process holds it."""
    raw, key = owner(), [f"rapport:{name}"]
    is_ours = bool(
        raw.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key).fetchone()[0]
    )
    try:
        yield is_ours
    finally:
        if is_ours and not raw.closed:
            raw.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)
