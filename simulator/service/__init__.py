"""One running Solid: its books, keys, allowance, journal and switches."""
