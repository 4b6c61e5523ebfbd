"""Backups of single companies: made, kept, read back, restored beside the old one, swapped."""
