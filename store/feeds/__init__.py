"""What the store keeps of feeds: where each stands, what became of what it read, and under which name."""
