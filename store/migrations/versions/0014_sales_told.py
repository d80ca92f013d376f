"""What was told of each sale besides its money, and by which names a sale is known."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "sales_told",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("sales_told_held", "sales_told", ["company", "held"])
    op.create_table(
        "sale_links",
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sale", sa.Integer, nullable=False),
    )
    op.create_index("sale_links_sale", "sale_links", ["sale"])
