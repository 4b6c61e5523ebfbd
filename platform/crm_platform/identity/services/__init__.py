"""The only code that writes people, roles, teams and the secrets that let them in; by noun."""
