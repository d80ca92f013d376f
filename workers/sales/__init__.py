"""What is known of each sale besides its money, and what the books need because of it."""
