"""API keys, by what their secrets hash to; webhooks, and what they are told beside changes of views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_api_keys()
    _make_webhooks()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("notices")
    op.drop_table("webhooks")
    op.drop_table("api_keys")


def _make_api_keys() -> None:
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


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("hook_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("created_us", _INT64, nullable=False),
        sa.Column("position", _INT64, nullable=False),
        sa.Column("told", _INT64, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_us", _INT64, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("lease_us", _INT64, nullable=False),
        sa.PrimaryKeyConstraint("hook_id", name="pk_webhooks"),
    )
    op.create_table(
        "notices",
        sa.Column("number", _INT64, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_us", _INT64, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("once", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_notices"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_once", "notices", ["once"])
