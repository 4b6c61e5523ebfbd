"""The peer's own tests, through the real SDK."""

import pytest

from tests.stripe_peer.fixtures import peer, peer_process  # noqa: F401
from tests.stripe_peer.shop import Shop


@pytest.fixture
def shop(peer):  # noqa: F811
    return Shop(peer.stripe())
