"""Switches that a test turns: faults, keys and what an admin does in the app."""
