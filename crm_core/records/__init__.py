"""Accounts, contacts and tags."""
