"""What identifies a company's inbox, and a counter that only rises."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables. An inbox that is there gets its identity when a worker looks at it first."""
    op.create_table(
        "marks",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("inbox", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "marks_kept",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("count", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("inbox", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
