"""People and what they may do; the same tables in the platform's schema and in each company's."""
