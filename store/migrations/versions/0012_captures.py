"""Which parts of an authorised payment were told to be captured, and what of it never was."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table. Of captures that were booked before it, nothing is known here: their writes are."""
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
