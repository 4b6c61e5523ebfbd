"""The pages every kind of record has."""
