"""Append-only history of data and configuration."""
