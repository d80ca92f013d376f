"""What Solid had before the inbox began, and when that was."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME: Final = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables. An inbox that has writes began with the oldest of them; that is found out when asked."""
    op.create_table(
        "inboxes",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("began_at", TIME, nullable=False),
    )
    op.create_table(
        "earlier_reads",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("since", sa.Date, nullable=False),
    )
    op.create_table(
        "earlier_records",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("external_id", sa.Text, primary_key=True),
        sa.Column("solid_id", sa.Text, nullable=False),
    )
