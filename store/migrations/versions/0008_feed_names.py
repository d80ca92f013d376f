"""Under which name the facts of each feed are known: those that fed before have none in their facts."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table, with every feed that there has been."""
    op.create_table(
        "feed_names",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("feed", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.execute(
        "INSERT INTO feed_names (company, feed, name) SELECT company, feed, '' FROM "
        "(SELECT company, feed FROM feed_runs UNION SELECT company, feed FROM feed_cursors) AS fed"
    )
