"""The engine in force, where engines are found, and passports of vectors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Most vectors of live views; of equals the one that came last.
_MOST = """
UPDATE state SET engine = COALESCE((
    SELECT engines.fingerprint FROM engines JOIN embeddings ON embeddings.engine = engines.number
    GROUP BY engines.number, engines.fingerprint ORDER BY COUNT(*) DESC, engines.number DESC LIMIT 1), '')
"""


def upgrade() -> None:
    """Make the table and the columns; the engine that embedded most views is in force."""
    op.create_table(
        "passports",
        sa.Column("number", _INT64, primary_key=True),
        sa.Column("passport_id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.UniqueConstraint("passport_id", name="uq_passports_passport_id"),
    )
    op.add_column("embeddings", sa.Column("passport", _INT64, nullable=True))
    op.add_column("engines", sa.Column("source", sa.Text(), nullable=False, server_default=""))
    for name in ("engine", "previous_engine"):
        op.add_column("state", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.execute(_MOST)


def downgrade() -> None:
    """Drop them."""
    for name in ("previous_engine", "engine"):
        op.drop_column("state", name)
    op.drop_column("engines", "source")
    op.drop_column("embeddings", "passport")
    op.drop_table("passports")
