"""What is known of stock: movements, item cards, what each fact posts, adjustments that became one entry."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME: Final = sa.DateTime(timezone=True)
PENDING: Final = sa.text("state = 'pending'")
UNPUBLISHED: Final = sa.text("published_at IS NULL")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "stock_movements",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("fact", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_index("stock_movements_item", "stock_movements", ["company", "item", "at"])
    op.create_table(
        "stock_cards",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("body", sa.JSON, nullable=False),
    )
    _facts()
    op.create_table(
        "stock_batches",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("fact", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("published_at", TIME),
    )
    op.create_index(
        "stock_batches_unpublished",
        "stock_batches",
        ["company", "made_at"],
        sqlite_where=UNPUBLISHED,
        postgresql_where=UNPUBLISHED,
    )


def _facts() -> None:
    op.create_table(
        "stock_facts",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("fact", sa.Text, primary_key=True),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("postings", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("batch", sa.Text),
        sa.Column("event_source", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('own', 'pending', 'merged')", name="stock_facts_state"),
        sa.CheckConstraint("state <> 'merged' OR batch IS NOT NULL", name="stock_facts_merged_into"),
    )
    for column in ("fact", "event_id", "subject", "batch"):
        op.create_index(f"stock_facts_{column}", "stock_facts", [column])
    op.create_index(
        "stock_facts_pending",
        "stock_facts",
        ["company", "recorded_at"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
