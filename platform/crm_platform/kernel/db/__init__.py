"""Database backends: `company` for serving, `owner` for migrations and provisioning."""
