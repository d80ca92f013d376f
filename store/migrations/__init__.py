"""Alembic's environment and the migrations, run by `store.migrate` only."""
