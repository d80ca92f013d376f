"""What every process needs: settings, clock, logs, signals."""
