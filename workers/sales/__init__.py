"""Sales: what is known of them beyond a single event, and how they come into the books together."""
