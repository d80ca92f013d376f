"""The database: inbox, dead letters, audit, cases."""
