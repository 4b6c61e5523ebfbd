"""One search document a record."""
