"""The only code that changes something for the operators."""
