"""What finishes a pay run's plan: versions that stand, and their mirror images."""
