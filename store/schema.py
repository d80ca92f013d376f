"""The tables, as the code sees them. The migrations create them; a test keeps the two alike.

Rows of `writes`, `write_events`, `audit` and `cases` are never deleted: ids are remembered for ever.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from store.databases.columns import DecimalText, ForeignText, KeyText, UtcDateTime

METADATA = MetaData()

# Conditions of partial indexes. A query that is to use the index says the very same words.
UNSWEPT = text("state = 'applied' AND was_unknown AND swept_at IS NULL")
UNREAD = text("state = 'applied' AND NOT was_unknown AND swept_at IS NULL")
OPEN = text("closed_at IS NULL")
LIVE = text("live")
PENDING = text("state = 'pending'")
UNPUBLISHED = text("published_at IS NULL")

WRITES = Table(
    "writes",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("external_id", KeyText, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("owner", Text),
    Column("lease_until", UtcDateTime),
    Column("doubt_since", UtcDateTime),
    Column("was_unknown", Boolean, nullable=False),
    Column("adopted", Boolean, nullable=False),
    Column("solid_id", KeyText),
    Column("error_code", ForeignText),
    Column("error_message", ForeignText),
    Column("event_source", Text, nullable=False),
    Column("event_id", KeyText, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("subject", KeyText),
    Column("group_key", KeyText),
    Column("amount", DecimalText),
    Column("currency", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("about", JSON, nullable=False, server_default="{}"),
    Column("swept_at", UtcDateTime),
    CheckConstraint("state IN ('intended', 'unknown', 'applied', 'refused')", name="writes_state"),
    CheckConstraint("state <> 'applied' OR solid_id IS NOT NULL", name="writes_applied_has_id"),
    Index("writes_state", "company", "state"),
    Index("writes_external_id", "external_id"),
    Index("writes_event_id", "event_id"),
    Index("writes_subject", "subject"),
    Index("writes_solid_id", "solid_id"),
    Index("writes_group_key", "group_key"),
    Index("writes_unswept", "company", "updated_at", sqlite_where=UNSWEPT, postgresql_where=UNSWEPT),
    Index("writes_unread", "company", "updated_at", sqlite_where=UNREAD, postgresql_where=UNREAD),
)

WRITE_EVENTS = Table(
    "write_events",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("external_id", KeyText, primary_key=True),
    Column("event_source", KeyText, primary_key=True),
    Column("event_id", KeyText, primary_key=True),
    Column("event_type", Text, nullable=False),
    Column("subject", KeyText),
    Column("seen_at", UtcDateTime, nullable=False),
    Index("write_events_event_id", "event_id"),
    Index("write_events_subject", "subject"),
)

DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("id", KeyText, primary_key=True),
    Column("queue", KeyText, nullable=False),
    Column("company", ForeignText),
    Column("event_id", ForeignText),
    Column("event_source", ForeignText),
    Column("event_type", ForeignText),
    Column("subject", ForeignText),
    Column("reason", KeyText, nullable=False),
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
    Column("settled_at", UtcDateTime),
    Column("erased_at", UtcDateTime),
    Column("body_key", Text),
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
    Column("subject", KeyText, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("audit_subject", "subject"),
)

CASES = Table(
    "cases",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("company", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", KeyText, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("closed_by", ForeignText),
    Column("note", ForeignText),
    CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="cases_closed_by_somebody"),
    Index("cases_open", "company", "kind", "subject", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
)

WORKERS = Table(
    "workers",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("company", Text, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

INBOXES = Table(
    "inboxes",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("began_at", UtcDateTime, nullable=False),
)

MARKS = Table(
    "marks",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("inbox", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
)

MARKS_KEPT = Table(
    "marks_kept",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("count", BigInteger, primary_key=True),
    Column("inbox", Text, nullable=False),
    Column("by", Text, nullable=False),
)

EARLIER_READS = Table(
    "earlier_reads",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("since", Date, nullable=False),
)

EARLIER_RECORDS = Table(
    "earlier_records",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("external_id", KeyText, primary_key=True),
    Column("solid_id", ForeignText, nullable=False),
)

STOCK_MOVEMENTS = Table(
    "stock_movements",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("fact", KeyText, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("item", KeyText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("body", JSON, nullable=False),
    Index("stock_movements_item", "company", "item", "at"),
)

STOCK_CARDS = Table(
    "stock_cards",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("item", KeyText, primary_key=True),
    Column("body", JSON, nullable=False),
)

STOCK_FACTS = Table(
    "stock_facts",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("fact", KeyText, primary_key=True),
    Column("content_hash", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("postings", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("batch", KeyText),
    Column("event_source", ForeignText, nullable=False),
    Column("event_id", KeyText, nullable=False),
    Column("event_type", ForeignText, nullable=False),
    Column("subject", KeyText),
    Column("recorded_at", UtcDateTime, nullable=False),
    CheckConstraint("state IN ('own', 'pending', 'merged')", name="stock_facts_state"),
    CheckConstraint("state <> 'merged' OR batch IS NOT NULL", name="stock_facts_merged_into"),
    Index("stock_facts_fact", "fact"),
    Index("stock_facts_event_id", "event_id"),
    Index("stock_facts_subject", "subject"),
    Index("stock_facts_batch", "batch"),
    Index("stock_facts_pending", "company", "recorded_at", sqlite_where=PENDING, postgresql_where=PENDING),
)

SALES_TOLD = Table(
    "sales_told",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("company", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("sales_told_held", "company", "held"),
)

SALE_LINKS = Table(
    "sale_links",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("name", KeyText, primary_key=True),
    Column("sale", Integer, nullable=False),
    Index("sale_links_sale", "sale"),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("company", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("key", KeyText, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),
    Index("outbox_key", "company", "key"),
    Index("outbox_unpublished", "company", "stream", "id", sqlite_where=UNPUBLISHED, postgresql_where=UNPUBLISHED),
)

FEED_CURSORS = Table(
    "feed_cursors",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("cursor", ForeignText),
    Column("etag", ForeignText),
    Column("seen", JSON, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

FEED_RUNS = Table(
    "feed_runs",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("company", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("name", ForeignText, nullable=False),
    Column("state", Text, nullable=False),
    Column("size", BigInteger),
    Column("rows", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("rejects", Integer, nullable=False),
    Column("lag_seconds", Float),
    Column("error", ForeignText),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    CheckConstraint("state IN ('done', 'failed', 'interrupted')", name="feed_runs_state"),
    Index("feed_runs_feed", "company", "feed", "id"),
)

FEED_NAMES = Table(
    "feed_names",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

PAYROLL_RUNS = Table(
    "payroll_runs",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("entity", KeyText, primary_key=True),
    Column("run", KeyText, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("outbox", Integer),
    Column("state", Text),
    Column("live", Boolean, nullable=False),
    Column("fact", KeyText),
    Column("fingerprint", Text),
    Column("reason", ForeignText),
    Column("field", ForeignText),
    Column("run_type", Text),
    Column("pay_date", Date),
    Column("period_start", Date),
    Column("period_end", Date),
    Column("deadline", UtcDateTime),
    Column("missing_since", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("state IN ('open', 'refused', 'ignored')", name="payroll_runs_state"),
    CheckConstraint(
        "(version > 0) = (state IS NULL) AND (version > 0) = (outbox IS NOT NULL)",
        name="payroll_runs_version_has_event",
    ),
    Index(
        "payroll_runs_live",
        "company",
        "provider",
        "entity",
        "run",
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    ),
    Index("payroll_runs_fact", "fact"),
)

PAYROLL_PULLS = Table(
    "payroll_pulls",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("entity", KeyText, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("pulled_at", UtcDateTime, nullable=False),
)
