"""Cin7 Core's documents."""
