"""Durable jobs: the jobs, the groups of items that workers take, what failed for good, and when hosts may be asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_jobs()
    _make_groups()


def downgrade() -> None:
    """Drop the tables, and with them what jobs had still to do."""
    for table in ("job_hosts", "job_rejects", "job_tasks", "jobs"):
        op.drop_table(table)


def _make_jobs() -> None:
    numbers = ("listed", "total", "imported", "skipped", "failed", "created_us", "updated_us", "lease_us", "since_us")
    marks = ("since_done", "mark_us", "mark_done")
    op.create_table(
        "jobs",
        sa.Column("number", _INT64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("job_id", "kind", "spec", "needs", "state")),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("cursor", "error", "lister")),
        *(sa.Column(name, _INT64, nullable=False) for name in (*numbers, *marks)),
        *(sa.Column(name, _INT64, nullable=True) for name in ("begun_us", "ended_us")),
        sa.PrimaryKeyConstraint("number", name="pk_jobs"),
        sa.UniqueConstraint("job_id", name="uq_jobs_job_id"),
        sa.UniqueConstraint("idempotency_key", name="uq_jobs_idempotency_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_index("ix_jobs_updated_us", "jobs", ["updated_us"])


def _make_groups() -> None:
    op.create_table(
        "job_tasks",
        *(sa.Column(name, _INT64, nullable=False) for name in ("number", "job", "tries", "free_us")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("items", "worker")),
        sa.PrimaryKeyConstraint("number", name="pk_job_tasks"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_job_tasks_job"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_tasks_job_number", "job_tasks", ["job", "number"])
    op.create_table(
        "job_rejects",
        *(sa.Column(name, _INT64, nullable=False) for name in ("number", "job", "at_us")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("place", "reason")),
        sa.Column("item", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_job_rejects"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_job_rejects_job"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_rejects_job_number", "job_rejects", ["job", "number"])
    op.create_table(
        "job_hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("free_us", _INT64, nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_job_hosts"),
    )
