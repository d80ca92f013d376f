"""Payouts as their processor lists them, and the balance transactions that belong to each."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

TIME: Final = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "payouts",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("payout", sa.Text, primary_key=True),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("amount", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("arrival", sa.Date, nullable=False),
        sa.Column("automatic", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("fee", sa.Text, nullable=False),
        sa.Column("read_at", TIME, nullable=False),
    )
    op.create_index("payouts_arrival", "payouts", ["company", "arrival"])
    op.create_table(
        "payout_items",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("payout", sa.Text, primary_key=True),
        sa.Column("transaction", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("type", sa.Text),
        sa.Column("ignored", sa.Text),
        sa.Column("gross", sa.Text, nullable=False),
        sa.Column("fee", sa.Text, nullable=False),
        sa.Column("tax", sa.Text, nullable=False),
        sa.Column("net", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
    )
