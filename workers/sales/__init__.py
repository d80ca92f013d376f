"""What an event of sales means, where that depends on what was told before it."""
