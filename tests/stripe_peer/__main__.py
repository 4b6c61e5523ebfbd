"""`python -m tests.stripe_peer`: print the address, then serve."""

from tests.stripe_peer.server import main

main()
