"""The backend that migrates and provisions: owns the schemas, serves no request."""
