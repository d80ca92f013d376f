"""What is known of sales beyond a single event."""
