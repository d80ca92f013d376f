"""Webhooks: signatures, normalising, the receiver."""
