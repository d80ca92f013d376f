"""Stripe read with a key: its lists in pages, what they tell as events, and what belongs to each payout."""
