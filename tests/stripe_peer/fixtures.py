"""Fixtures: one peer process a test session, emptied before each test.

A conftest takes them in with `from tests.stripe_peer.fixtures import peer, peer_process`.
"""

import pytest

from tests.stripe_peer.client import PeerProcess


@pytest.fixture(scope="session")
def peer_process():
    """A peer in a process of its own."""
    running = PeerProcess()
    yield running.peer
    running.stop()


@pytest.fixture
def peer(peer_process):
    """An empty peer; what went against the contract and was not forgotten fails the test."""
    peer_process.reset()
    yield peer_process
    found = peer_process.violations(forget=True)
    assert not found, "\n".join(
        f"{each['kind']}: {each['request']}: {each['finding']}" for each in found
    )
