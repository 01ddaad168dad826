"""The first schema: artists, entries, views, vectors, endings, notes and the sequence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables and the one row of `state`."""
    _create_state()
    _create_names()
    _create_views()
    _create_vectors()
    op.create_table(
        "endings",
        sa.Column("sequence", _INT64, autoincrement=False, nullable=False),
        sa.Column("key", _INT64, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_endings"),
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_notes"),
    )


def downgrade() -> None:
    """Drop everything."""
    for table in ("notes", "endings", "embeddings", "engines", "views", "entries", "artists", "state"):
        op.drop_table(table)


def _create_state() -> None:
    state = op.create_table(
        "state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", _INT64, nullable=False),
        sa.Column("artists", _INT64, nullable=False),
        sa.Column("entries", _INT64, nullable=False),
        sa.Column("views", _INT64, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_state"),
    )
    op.bulk_insert(state, [{"id": 1, "sequence": 0, "artists": 0, "entries": 0, "views": 0}])


def _create_names() -> None:
    op.create_table(
        "artists",
        sa.Column("number", _INT64, primary_key=True),
        sa.Column("artist_id", _ID, nullable=False),
        sa.UniqueConstraint("artist_id", name="uq_artists_artist_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "entries",
        sa.Column("number", _INT64, primary_key=True),
        sa.Column("artist", _INT64, nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["artist"], ["artists.number"], name="fk_entries_artist"),
        sa.UniqueConstraint("artist", "entry_id", name="uq_entries_artist_entry_id"),
    )


def _create_views() -> None:
    op.create_table(
        "views",
        sa.Column("key", _INT64, autoincrement=False, nullable=False),
        sa.Column("entry", _INT64, nullable=False),
        sa.Column("view_id", _ID, nullable=False),
        sa.Column("vector_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("width", _INT64, nullable=False),
        sa.Column("height", _INT64, nullable=False),
        sa.Column("size_bytes", _INT64, nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("created_us", _INT64, nullable=False),
        sa.Column("updated_us", _INT64, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_views"),
        sa.ForeignKeyConstraint(["entry"], ["entries.number"], name="fk_views_entry"),
        sa.UniqueConstraint("entry", "view_id", name="uq_views_entry_view_id"),
    )
    op.create_index("ix_views_vector_id", "views", ["vector_id"])


def _create_vectors() -> None:
    op.create_table(
        "engines",
        sa.Column("number", _INT64, primary_key=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.UniqueConstraint("fingerprint", name="uq_engines_fingerprint"),
    )
    op.create_table(
        "embeddings",
        sa.Column("key", _INT64, nullable=False),
        sa.Column("engine", _INT64, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "engine", name="pk_embeddings"),
        sa.ForeignKeyConstraint(["key"], ["views.key"], name="fk_embeddings_key", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["engine"], ["engines.number"], name="fk_embeddings_engine"),
    )
