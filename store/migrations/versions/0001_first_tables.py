"""The first tables: writes (the inbox), dead letters, audit."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME: Final = sa.DateTime(timezone=True)

FREEZE_AUDIT: Final = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_no_{verb} BEFORE {verb.upper()} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        for verb in ("update", "delete")
    ),
    "postgresql": (
        """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
        """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    ),
}


def upgrade() -> None:
    """Create them."""
    _writes()
    _dead_letters()
    _audit()


def _writes() -> None:
    op.create_table(
        "writes",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("external_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload_hash", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("lease_until", TIME),
        sa.Column("doubt_since", TIME),
        sa.Column("was_unknown", sa.Boolean, nullable=False),
        sa.Column("adopted", sa.Boolean, nullable=False),
        sa.Column("solid_id", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("event_source", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("group_key", sa.Text),
        sa.Column("amount", sa.Text),
        sa.Column("currency", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('intended', 'unknown', 'applied', 'refused')", name="writes_state"),
        sa.CheckConstraint("state <> 'applied' OR solid_id IS NOT NULL", name="writes_applied_has_id"),
    )
    op.create_index("writes_state", "writes", ["company", "state"])
    for column in ("external_id", "event_id", "subject", "solid_id", "group_key"):
        op.create_index(f"writes_{column}", "writes", [column])


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("company", sa.Text),
        sa.Column("event_id", sa.Text),
        sa.Column("event_source", sa.Text),
        sa.Column("event_type", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("content_type", sa.Text),
        sa.Column("routing_key", sa.Text),
        sa.Column("died_at", TIME),
        sa.Column("stored_at", TIME, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'replayed', 'discarded')", name="dead_letters_state"),
    )
    op.create_index("dead_letters_groups", "dead_letters", ["state", "queue", "reason"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("audit_subject", "audit", ["subject"])
    for statement in FREEZE_AUDIT[op.get_bind().dialect.name]:
        op.execute(statement)
