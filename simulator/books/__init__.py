"""Accounting: what Solid keeps, and how it refuses what does not add up."""
