"""One-time secrets: what is mailed is never what is kept."""

import hashlib
import secrets


def new_secret() -> tuple[str, str]:
    """A random secret for a link, and the hash to keep."""
    secret = secrets.token_urlsafe(32)
    return secret, hash_of(secret)


def hash_of(secret: str) -> str:
    """SHA-256; enough for 256 random bits, which nobody guesses."""
    return hashlib.sha256(secret.encode()).hexdigest()
