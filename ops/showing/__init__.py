"""Tables and lines for the terminal; outside text is escaped here and nowhere else."""
