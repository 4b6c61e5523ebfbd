"""A process that speaks the billing part of Stripe's API, for tests and trials without a network.

It is our reading of Stripe's documents, held to the types of the installed SDK (`contract`); it is
no copy of Stripe. What it does not speak it refuses, and records: no parameter is passed over.

In a test: the fixture `peer` (`fixtures`), steered as `client.Peer` says; `peer.stripe()` is the
real SDK, led to it. By hand: `python -m tests.stripe_peer --ticking --port 12111` follows the real
time, and its hosted pages open in a browser.

What is known to be simpler than Stripe: one currency a customer and one interval a subscription, no
taxes, cards only, schedules only from a subscription, a test clock that is ready at once. The order
and the number of events are Stripe's only in outline.

Not spoken on purpose, as Stripe's "Pending updates reference" does not name it: metadata together
with `payment_behavior=pending_if_incomplete`.
"""
