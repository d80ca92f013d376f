"""Pay runs: the versions that were told, what waits to be told, what could not be, and which months were pulled."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME: Final = sa.DateTime(timezone=True)
LIVE: Final = sa.text("live")
PENDING: Final = sa.text("state = 'pending'")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "payroll_runs",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("fact", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("event", sa.LargeBinary),
        sa.Column("reason", sa.Text),
        sa.Column("field", sa.Text),
        sa.Column("run_type", sa.Text),
        sa.Column("pay_date", sa.Date),
        sa.Column("period_start", sa.Date),
        sa.Column("period_end", sa.Date),
        sa.Column("deadline", TIME),
        sa.Column("missing_since", TIME),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('pending', 'told', 'open', 'refused', 'ignored')", name="payroll_runs_state"),
        sa.CheckConstraint(
            "(version > 0) = (state IN ('pending', 'told')) AND (version > 0) = (event IS NOT NULL)",
            name="payroll_runs_version_has_event",
        ),
    )
    key = ["company", "provider", "entity", "run"]
    op.create_index("payroll_runs_live", "payroll_runs", key, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index(
        "payroll_runs_pending", "payroll_runs", ["provider"], sqlite_where=PENDING, postgresql_where=PENDING
    )
    op.create_index("payroll_runs_fact", "payroll_runs", ["fact"])
    op.create_table(
        "payroll_pulls",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("month", sa.Date, primary_key=True),
        sa.Column("pulled_at", TIME, nullable=False),
    )
