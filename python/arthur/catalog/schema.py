"""Tables of the SQL catalogue. `migrations/` makes them; a test holds the two equal."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from arthur.catalog.columns import ID, INT64, metadata
from arthur.catalog.job_tables import job_hosts, job_rejects, job_tasks, jobs

__all__ = [
    "HEAD",
    "api_keys",
    "artists",
    "embeddings",
    "endings",
    "engines",
    "entries",
    "features",
    "job_hosts",
    "job_rejects",
    "job_tasks",
    "jobs",
    "likenesses",
    "match_log",
    "metadata",
    "notes",
    "notices",
    "passports",
    "state",
    "verifiers",
    "views",
    "webhooks",
]

HEAD = "0008"
"""Revision of this schema: the newest file in `migrations/versions`."""

state = Table(
    "state",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("sequence", INT64, nullable=False),
    Column("artists", INT64, nullable=False),
    Column("entries", INT64, nullable=False),
    Column("views", INT64, nullable=False),
    Column("engine", Text, nullable=False, server_default=""),
    Column("previous_engine", Text, nullable=False, server_default=""),
)
"""One row: the newest sequence, how many rows are live, and the fingerprints of the engine in force and of the one
before it. Writers of all processes queue on it."""

# AUTOINCREMENT: numbers of artists that are gone must not come back, since indices filter by them.
artists = Table(
    "artists",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("artist_id", ID, nullable=False),
    UniqueConstraint("artist_id"),
    sqlite_autoincrement=True,
)

entries = Table(
    "entries",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("artist", INT64, ForeignKey("artists.number"), nullable=False),
    Column("entry_id", ID, nullable=False),
    UniqueConstraint("artist", "entry_id"),
)

views = Table(
    "views",
    metadata,
    Column("key", INT64, primary_key=True, autoincrement=False),
    Column("entry", INT64, ForeignKey("entries.number"), nullable=False),
    Column("view_id", ID, nullable=False),
    Column("vector_id", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("width", INT64, nullable=False),
    Column("height", INT64, nullable=False),
    Column("size_bytes", INT64, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("created_us", INT64, nullable=False),
    Column("updated_us", INT64, nullable=False),
    UniqueConstraint("entry", "view_id"),
    # Not unique: "a.b" > "c" > "d" and "a" > "b.c" > "d" have the same vector_id.
    Index(None, "vector_id"),
)
"""Live views. `key` is the sequence of the put; times are microseconds since 1970 UTC."""

engines = Table(
    "engines",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("source", Text, nullable=False, server_default=""),
    UniqueConstraint("fingerprint"),
)
"""`source` is the folder from which an engine was last loaded; empty where nobody told."""

passports = Table(
    "passports",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("passport_id", Text, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("passport_id"),
)
"""What engines ran in when they made vectors, as JSON."""

embeddings = Table(
    "embeddings",
    metadata,
    Column("key", INT64, ForeignKey("views.key", ondelete="CASCADE"), nullable=False),
    Column("engine", INT64, ForeignKey("engines.number"), nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Column("passport", INT64, nullable=True),
    PrimaryKeyConstraint("key", "engine"),
)
"""Vectors as `dim` little-endian float16. `passport` is the number of one, null where a vector is older than those. It
is no foreign key: to get one, SQLite would have to write every vector anew."""

verifiers = Table(
    "verifiers",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    UniqueConstraint("fingerprint"),
)

features = Table(
    "features",
    metadata,
    Column("key", INT64, ForeignKey("views.key", ondelete="CASCADE"), nullable=False),
    Column("verifier", INT64, ForeignKey("verifiers.number"), nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("key", "verifier"),
)
"""Local features of views, packed by their verifier."""

likenesses = Table(
    "likenesses",
    metadata,
    Column("newer", INT64, ForeignKey("views.key", ondelete="CASCADE"), nullable=False),
    Column("older", INT64, ForeignKey("views.key", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("probability", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("inliers", Integer, nullable=True),
    Column("coverage", Float, nullable=True),
    PrimaryKeyConstraint("newer", "older"),
    # Found when the older view ends.
    Index(None, "older"),
    Index(None, "kind", "newer", "older"),
)
"""Pairs of live views of different entries that look alike."""

endings = Table(
    "endings",
    metadata,
    Column("sequence", INT64, primary_key=True, autoincrement=False),
    Column("key", INT64, nullable=False),
)
"""Keys that ended: by a removal, or by the put whose key is `sequence`."""

match_log = Table(
    "match_log",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("at_us", INT64, nullable=False),
    Column("photo", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("entry", INT64, ForeignKey("entries.number", ondelete="CASCADE"), nullable=True),
    Column("probability", Float, nullable=False),
    Column("milliseconds", Float, nullable=False),
    Column("engine", Text, nullable=False),
    Index(None, "at_us"),
    # Found when the entry ends.
    Index(None, "entry"),
)
"""Answers to photos, where they are logged. `photo` is a hash that needs a secret of its day, kept among the notes."""

notes = Table(
    "notes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scope", Text, nullable=False),
    Column("artists", Text, nullable=False),
    Column("created_us", INT64, nullable=False),
    Column("expires_us", INT64, nullable=True),
    Column("revoked_us", INT64, nullable=True),
    Column("used_us", INT64, nullable=True),
    Column("replaces", Text, nullable=False),
    Column("revision", INT64, nullable=False),
    Index(None, "revision"),
)
"""API keys, by what their secrets hash to. `artists` is a JSON list; the highest `revision` moves with each change."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("hook_id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("created_us", INT64, nullable=False),
    Column("position", INT64, nullable=False),
    Column("told", INT64, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("retry_us", INT64, nullable=False),
    Column("error", Text, nullable=False),
    Column("lease_us", INT64, nullable=False),
)
"""Who is told of changes, and how far each was told. `kinds` is a JSON list; a lease ends at `lease_us`."""

# Numbers are never given twice: how far a webhook was told is one of them.
notices = Table(
    "notices",
    metadata,
    Column("number", INT64, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at_us", INT64, nullable=False),
    Column("facts", Text, nullable=False),
    Column("once", Text, nullable=False),
    Index(None, "once"),
    sqlite_autoincrement=True,
)
"""What webhooks are told beside changes of views."""
