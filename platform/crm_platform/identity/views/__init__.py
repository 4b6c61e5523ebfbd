"""Pages of identity, by noun."""
