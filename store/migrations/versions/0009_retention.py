"""When a dead letter was settled, when its contents were removed, and under which key its body is sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns; letters of before have none of the three."""
    op.add_column("dead_letters", sa.Column("settled_at", sa.DateTime(timezone=True)))
    op.add_column("dead_letters", sa.Column("erased_at", sa.DateTime(timezone=True)))
    op.add_column("dead_letters", sa.Column("body_key", sa.Text))
