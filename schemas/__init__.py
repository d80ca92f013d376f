"""What is said: events, their envelope, and money."""
