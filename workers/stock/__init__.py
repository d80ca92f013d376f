"""Stock: what the relay knows of each item, and what the books should hold for it."""
