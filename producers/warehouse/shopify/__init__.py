"""Levels of stock that Shopify sends: read, whose they are, and the source that they are."""
