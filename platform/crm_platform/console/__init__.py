"""The operators' console: companies and what they need, on its own host."""
