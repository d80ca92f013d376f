"""Gusto: payrolls and contractor payments."""
