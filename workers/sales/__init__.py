"""Sales: how they come into the books together, and what is known of them before that."""
