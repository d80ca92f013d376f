"""What the sweep and the desk need: what a write is about, when it was swept, its earlier events, cases; workers."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TIME: Final = sa.DateTime(timezone=True)
UNSWEPT: Final = sa.text("state = 'applied' AND was_unknown AND swept_at IS NULL")
OPEN: Final = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Add them. Rows that exist are about nothing and were not swept."""
    _writes()
    _write_events()
    _cases()
    _workers()


def _writes() -> None:
    op.add_column("writes", sa.Column("about", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("writes", sa.Column("swept_at", TIME))
    op.create_index(
        "writes_unswept", "writes", ["company", "updated_at"], sqlite_where=UNSWEPT, postgresql_where=UNSWEPT
    )


def _write_events() -> None:
    op.create_table(
        "write_events",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("external_id", sa.Text, primary_key=True),
        sa.Column("event_source", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("seen_at", TIME, nullable=False),
    )
    for column in ("event_id", "subject"):
        op.create_index(f"write_events_{column}", "write_events", [column])


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("closed_by", sa.Text),
        sa.Column("note", sa.Text),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="cases_closed_by_somebody"),
    )
    op.create_index(
        "cases_open",
        "cases",
        ["company", "kind", "subject"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
    )
