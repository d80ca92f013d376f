"""What people on call use: the `relay` command, the desk of dead letters, and the composition root."""
