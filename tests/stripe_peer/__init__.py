"""A process that speaks the billing part of Stripe's API, for tests and trials without a network.

It is our reading of Stripe's documents, held to the types of the installed SDK (`contract`); it is
no copy of Stripe, and what it does not speak it refuses.
"""
