"""The peer's own tests, through the real SDK."""

from tests.stripe_peer.fixtures import peer, peer_process  # noqa: F401
