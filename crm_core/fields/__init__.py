"""Custom fields, lists, filters and saved views of every kind of record."""
