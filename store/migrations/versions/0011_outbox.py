"""One outbox for merged entries of stock and versions of pay runs, instead of two tables that were also one."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from store.databases.storable import key_of

revision = "0011"
down_revision = "0010"

TIME: Final = sa.DateTime(timezone=True)
LIVE: Final = sa.text("live")
UNPUBLISHED: Final = sa.text("published_at IS NULL")
BEFORE: Final = "payroll_runs_before"
BATCHES_BEFORE: Final = "stock_batches_before"

OUTBOX: Final = (
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("company", sa.Text, nullable=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("added_at", TIME, nullable=False),
    sa.Column("published_at", TIME),
)
RUNS: Final = (
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("outbox", sa.Integer),
    sa.Column("state", sa.Text),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("fact", sa.Text),
    sa.Column("fingerprint", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("field", sa.Text),
    sa.Column("run_type", sa.Text),
    sa.Column("pay_date", sa.Date),
    sa.Column("period_start", sa.Date),
    sa.Column("period_end", sa.Date),
    sa.Column("deadline", TIME),
    sa.Column("missing_since", TIME),
    sa.Column("updated_at", TIME, nullable=False),
)


def upgrade() -> None:
    """Create the outbox, and move into it what either store has published, or has yet to publish.

    Renaming waits for what an older process is storing, which is then seen.
    """
    outbox = op.create_table("outbox", *OUTBOX)
    op.rename_table("stock_batches", BATCHES_BEFORE)
    op.execute(
        "INSERT INTO outbox (company, stream, key, body, added_at, published_at) "
        "SELECT company, 'stock', fact, body, made_at, published_at FROM stock_batches_before ORDER BY made_at"
    )
    op.drop_table(BATCHES_BEFORE)
    op.drop_index("payroll_runs_live", "payroll_runs")
    op.drop_index("payroll_runs_pending", "payroll_runs")
    op.drop_index("payroll_runs_fact", "payroll_runs")
    op.rename_table("payroll_runs", BEFORE)
    runs = op.create_table(
        "payroll_runs",
        *RUNS,
        sa.CheckConstraint("state IN ('open', 'refused', 'ignored')", name="payroll_runs_state"),
        sa.CheckConstraint(
            "(version > 0) = (state IS NULL) AND (version > 0) = (outbox IS NOT NULL)",
            name="payroll_runs_version_has_event",
        ),
    )
    _move_runs(outbox, runs)
    op.drop_table(BEFORE)
    key = ["company", "provider", "entity", "run"]
    op.create_index("payroll_runs_live", "payroll_runs", key, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index("payroll_runs_fact", "payroll_runs", ["fact"])
    op.create_index("outbox_key", "outbox", ["company", "key"])
    waiting = ["company", "stream", "id"]
    op.create_index("outbox_unpublished", "outbox", waiting, sqlite_where=UNPUBLISHED, postgresql_where=UNPUBLISHED)


def _move_runs(outbox: sa.Table, runs: sa.Table) -> None:
    kept = [column for column in runs.c if column.name != "outbox"]
    before = sa.table(BEFORE, *(sa.column(each.name, each.type) for each in kept), sa.column("event", sa.LargeBinary))
    connection = op.get_bind()
    order = [before.c[name] for name in ("company", "provider", "entity", "run", "version")]
    for row in connection.execute(sa.select(before).order_by(*order)).mappings().all():
        values = {column.name: row[column.name] for column in kept}
        if row["version"]:
            told = connection.execute(sa.insert(outbox).values(_told(row))).inserted_primary_key
            values |= {"state": None, "outbox": told and told[0]}
        connection.execute(runs.insert(), values)


def _told(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of before
    return {
        "company": row["company"],
        "stream": "payroll",
        "key": key_of(f"{row['provider']} pay run {row['run']} of {row['entity']}"),
        "body": row["event"],
        "added_at": row["updated_at"],
        "published_at": row["updated_at"] if row["state"] == "told" else None,
    }
