"""The way in from outside: a visitor becomes the owner of a company."""
