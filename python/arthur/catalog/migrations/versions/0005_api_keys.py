"""API keys, by what their secrets hash to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("artists", sa.Text(), nullable=False),
        sa.Column("created_us", _INT64, nullable=False),
        sa.Column("expires_us", _INT64, nullable=True),
        sa.Column("revoked_us", _INT64, nullable=True),
        sa.Column("used_us", _INT64, nullable=True),
        sa.Column("replaces", sa.Text(), nullable=False),
        sa.Column("revision", _INT64, nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_revision", "api_keys", ["revision"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("api_keys")
