"""Tables of durable jobs."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from arthur.catalog.columns import INT64, metadata

__all__ = ["job_hosts", "job_rejects", "job_tasks", "jobs"]

# Numbers of all three are never given twice: people and workers know a row by them while others come and go.
jobs = Table(
    "jobs",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("job_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("needs", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("idempotency_key", Text, nullable=True, unique=True),
    Column("cursor", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("lister", Text, nullable=False),
    Column("listed", INT64, nullable=False),
    Column("total", INT64, nullable=False),
    Column("imported", INT64, nullable=False),
    Column("skipped", INT64, nullable=False),
    Column("failed", INT64, nullable=False),
    Column("created_us", INT64, nullable=False),
    Column("updated_us", INT64, nullable=False, index=True),
    Column("lease_us", INT64, nullable=False),
    Column("since_us", INT64, nullable=False),
    Column("since_done", INT64, nullable=False),
    Column("mark_us", INT64, nullable=False),
    Column("mark_done", INT64, nullable=False),
    Column("begun_us", INT64, nullable=True),
    Column("ended_us", INT64, nullable=True),
    sqlite_autoincrement=True,
)
"""Jobs. `lister` lists the source until `lease_us`; `mark` is what `since` will be once it is half a minute old."""

job_tasks = Table(
    "job_tasks",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("job", INT64, ForeignKey(jobs.c.number), nullable=False),
    Column("tries", INT64, nullable=False),
    Column("free_us", INT64, nullable=False),
    Column("items", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Index(None, "job", "number"),
    sqlite_autoincrement=True,
)
"""Groups of items that are not done: a JSON list each, nobody's from `free_us` on. What is done has no row."""

job_rejects = Table(
    "job_rejects",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("job", INT64, ForeignKey(jobs.c.number), nullable=False),
    Column("at_us", INT64, nullable=False),
    Column("place", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("item", Text, nullable=True),
    Index(None, "job", "number"),
    sqlite_autoincrement=True,
)
"""Items in quarantine, as JSON; what names no item has none."""

job_hosts = Table(
    "job_hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("free_us", INT64, nullable=False),
)
"""When a host of the web may be asked next."""
