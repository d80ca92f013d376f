"""The tables, as the code sees them. The migrations create them; a test keeps the two alike.

Rows of `writes` and `audit` are never deleted: ids are remembered for ever.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from store.columns import DecimalText, ForeignText, UtcDateTime

METADATA = MetaData()

WRITES = Table(
    "writes",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("owner", Text),
    Column("lease_until", UtcDateTime),
    Column("doubt_since", UtcDateTime),
    Column("was_unknown", Boolean, nullable=False),
    Column("adopted", Boolean, nullable=False),
    Column("solid_id", ForeignText),
    Column("error_code", ForeignText),
    Column("error_message", ForeignText),
    Column("event_source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("subject", Text),
    Column("group_key", Text),
    Column("amount", DecimalText),
    Column("currency", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("state IN ('intended', 'unknown', 'applied', 'refused')", name="writes_state"),
    CheckConstraint("state <> 'applied' OR solid_id IS NOT NULL", name="writes_applied_has_id"),
    Index("writes_state", "company", "state"),
    Index("writes_external_id", "external_id"),
    Index("writes_event_id", "event_id"),
    Index("writes_subject", "subject"),
    Index("writes_solid_id", "solid_id"),
    Index("writes_group_key", "group_key"),
)

DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("id", ForeignText, primary_key=True),
    Column("queue", ForeignText, nullable=False),
    Column("company", ForeignText),
    Column("event_id", ForeignText),
    Column("event_source", ForeignText),
    Column("event_type", ForeignText),
    Column("subject", ForeignText),
    Column("reason", ForeignText, nullable=False),
    Column("error", ForeignText, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("content_type", ForeignText),
    Column("routing_key", ForeignText),
    Column("died_at", UtcDateTime),
    Column("stored_at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("state IN ('waiting', 'replayed', 'discarded')", name="dead_letters_state"),
    Index("dead_letters_groups", "state", "queue", "reason"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", ForeignText, nullable=False),
    Column("act", ForeignText, nullable=False),
    Column("subject", ForeignText, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("audit_subject", "subject"),
)
