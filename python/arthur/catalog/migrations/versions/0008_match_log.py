"""The match log: what was answered to photos, as hashes and ids; an answer about an entry goes when the entry does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "match_log",
        sa.Column("number", _INT64, nullable=False),
        sa.Column("at_us", _INT64, nullable=False),
        sa.Column("photo", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("entry", _INT64, nullable=True),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_match_log"),
        sa.ForeignKeyConstraint(["entry"], ["entries.number"], name="fk_match_log_entry", ondelete="CASCADE"),
    )
    op.create_index("ix_match_log_at_us", "match_log", ["at_us"])
    op.create_index("ix_match_log_entry", "match_log", ["entry"])


def downgrade() -> None:
    """Drop it, with all that was logged, and the secrets of its hashes."""
    op.drop_table("match_log")
    op.execute("DELETE FROM notes WHERE name LIKE 'match\\_log/%' ESCAPE '\\'")
