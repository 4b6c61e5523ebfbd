"""The companies that rent Rapport: where each one lives and how it comes to be."""
