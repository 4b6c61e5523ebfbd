"""Releases of the companies' tables, and how each company comes from one to the next."""
