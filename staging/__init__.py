"""What tests, demo, faults and benchmarks stand on: a broker found or started, and the processes of a run."""
