"""Rules that the tree keeps, each with a bad sample that must fire."""
