"""Parts of payments and pending refunds that were told, and by what a copy of a dead letter is known."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables and the column. Of captures that were booked before it, only their writes are known.

    Copies of letters that wait already are not known as such: they stay.
    """
    op.create_table(
        "captures",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("payment", sa.Text, primary_key=True),
        sa.Column("in_all", sa.Text, primary_key=True),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("released", sa.Text),
        sa.Column("event_source", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "pending_refunds",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("payment", sa.Text, primary_key=True),
        sa.Column("refund", sa.Text, primary_key=True),
        sa.Column("amount", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("dead_letters", sa.Column("digest", sa.Text))
    op.create_index("dead_letters_digest", "dead_letters", ["digest"])
