"""The backend that serves: every transaction begins inside one company's schema and role."""
