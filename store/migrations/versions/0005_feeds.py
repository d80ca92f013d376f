"""Where feeds stand: their cursors, and what became of each file and poll."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TIME: Final = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "feed_cursors",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("feed", sa.Text, primary_key=True),
        sa.Column("cursor", sa.Text),
        sa.Column("etag", sa.Text),
        sa.Column("seen", sa.JSON, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )
    op.create_table(
        "feed_runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("rejects", sa.Integer, nullable=False),
        sa.Column("lag_seconds", sa.Float),
        sa.Column("error", sa.Text),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('done', 'failed', 'interrupted')", name="feed_runs_state"),
    )
    op.create_index("feed_runs_feed", "feed_runs", ["company", "feed", "id"])
