"""Local features of views, by the verifier that packed them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "verifiers",
        sa.Column("number", _INT64, primary_key=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.UniqueConstraint("fingerprint", name="uq_verifiers_fingerprint"),
    )
    op.create_table(
        "features",
        sa.Column("key", _INT64, nullable=False),
        sa.Column("verifier", _INT64, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["views.key"], name="fk_features_key", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["verifier"], ["verifiers.number"], name="fk_features_verifier"),
        sa.PrimaryKeyConstraint("key", "verifier", name="pk_features"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("features")
    op.drop_table("verifiers")
