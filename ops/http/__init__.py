"""What a process serves over HTTP: bounds for clients, the port of the metrics, the figures on it."""
