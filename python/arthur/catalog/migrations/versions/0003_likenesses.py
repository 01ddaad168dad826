"""Pairs of views of different entries that look alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "likenesses",
        sa.Column("newer", _INT64, nullable=False),
        sa.Column("older", _INT64, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("inliers", sa.Integer(), nullable=True),
        sa.Column("coverage", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["newer"], ["views.key"], name="fk_likenesses_newer", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["older"], ["views.key"], name="fk_likenesses_older", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("newer", "older", name="pk_likenesses"),
    )
    op.create_index("ix_likenesses_older", "likenesses", ["older"])
    op.create_index("ix_likenesses_kind_newer_older", "likenesses", ["kind", "newer", "older"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("likenesses")
