"""What differs between SQLite and PostgreSQL, and the columns and texts that mean the same on both."""
