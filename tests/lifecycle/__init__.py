"""The life of a company: its states, its addresses, its end."""
