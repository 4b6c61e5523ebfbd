"""The operators' pages; they see the register, never a company's own data."""
