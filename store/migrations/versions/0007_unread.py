"""An index for the sweep of what was never in doubt."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

UNREAD: Final = sa.text("state = 'applied' AND NOT was_unknown AND swept_at IS NULL")


def upgrade() -> None:
    """Find the oldest write that nobody has looked for, without reading those that were."""
    op.create_index("writes_unread", "writes", ["company", "updated_at"], sqlite_where=UNREAD, postgresql_where=UNREAD)
