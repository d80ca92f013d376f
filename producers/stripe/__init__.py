"""Stripe's events, a module a kind of object."""
