"""From the outside world to events."""
