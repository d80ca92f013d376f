"""Lines of summaries: sales that are booked in one entry with others, the entries made of them, and whose payout."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

TIME: Final = sa.DateTime(timezone=True)
UNSUMMED: Final = sa.text("summary IS NULL")


def upgrade() -> None:
    """Create the tables, empty: what was posted before stays as it is."""
    op.create_table(
        "summary_lines",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("external_id", sa.Text, primary_key=True),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("processor", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("amount", sa.Text, nullable=False),
        sa.Column("payload_hash", sa.Text, nullable=False),
        sa.Column("lines", sa.JSON, nullable=False),
        sa.Column("clears", sa.Boolean, nullable=False),
        sa.Column("about", sa.JSON, nullable=False),
        sa.Column("group_key", sa.Text),
        sa.Column("group_amount", sa.Text),
        sa.Column("group_currency", sa.Text),
        sa.Column("event_source", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("summary", sa.Text),
    )
    op.create_table(
        "summaries",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("processor", sa.Text, primary_key=True),
        sa.Column("bucket", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("facts", sa.Integer, nullable=False),
        sa.Column("lines", sa.JSON, nullable=False),
        sa.Column("closed_at", TIME, nullable=False),
    )
    op.create_table(
        "payout_facts",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("fact", sa.Text, primary_key=True),
        sa.Column("payout", sa.Text, primary_key=True),
        sa.Column("read_at", TIME, nullable=False),
    )
    for column in ("external_id", "fact", "event_id", "subject", "summary", "group_key"):
        op.create_index(f"summary_lines_{column}", "summary_lines", [column])
    waiting = ["company", "day"]
    op.create_index("summary_lines_open", "summary_lines", waiting, sqlite_where=UNSUMMED, postgresql_where=UNSUMMED)
    op.create_index("summaries_external_id", "summaries", ["external_id"])
