"""Reading for the console."""
