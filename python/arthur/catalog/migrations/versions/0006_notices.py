"""PostgreSQL tells those who listen of every change of the sequence; other databases are asked."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The name of a schema may be as long as that of a channel, so the channel is named by a part of its hash.
_FUNCTION = """
CREATE FUNCTION arthur_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('arthur_' || left(md5(TG_TABLE_SCHEMA), 16), '');
    RETURN NULL;
END $$
"""
_TRIGGER = "CREATE TRIGGER tell AFTER UPDATE OF sequence ON state FOR EACH ROW EXECUTE FUNCTION arthur_tell()"


def upgrade() -> None:
    """Make the trigger."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        op.execute(_TRIGGER)


def downgrade() -> None:
    """Drop it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER tell ON state")
        op.execute("DROP FUNCTION arthur_tell()")
