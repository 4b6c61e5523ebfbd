"""Version 1: addresses under `/api/v1/`."""
