"""The providers of pay runs, one module each, and how they are called."""
