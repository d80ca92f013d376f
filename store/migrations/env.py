"""What Alembic runs before the migrations. It uses the caller's connection and transaction, and sets up no logging."""

from alembic import context

from store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
