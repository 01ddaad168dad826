"""Reads of the SQL catalogue. Each function works inside the caller's read transaction, that is on one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, bindparam, select

from arthur.catalog.chunks import chunked
from arthur.catalog.records import select_views, stored_view
from arthur.catalog.schema import artists, embeddings, endings, engines, entries, state, views
from arthur.catalog.vectors import decode_vectors
from arthur.types import Changes, Keys, StoredView

__all__ = ["artist_numbers", "changes", "vector", "views_by_key"]

# What every recognition reads is put together once: that takes SQLAlchemy longer than SQLite takes to answer.
_FIND_VIEWS = select_views().where(views.c.key.in_(bindparam("keys", expanding=True)))
_FIND_VECTOR = (
    select(embeddings.c.vector, engines.c.dim)
    .join(engines, embeddings.c.engine == engines.c.number)
    .where(embeddings.c.key == bindparam("wanted"), engines.c.fingerprint == bindparam("of"))
)


def views_by_key(connection: Connection, keys: Keys) -> dict[int, StoredView]:
    """See Catalog.views."""
    found: dict[int, StoredView] = {}
    for chunk in chunked(keys.tolist()):
        rows = map(stored_view, connection.execute(_FIND_VIEWS, {"keys": chunk}))
        found.update({stored.key: stored for stored in rows})
    return found


def artist_numbers(connection: Connection, artist_ids: Sequence[str]) -> tuple[int, ...]:
    """See Catalog.artist_numbers."""
    numbers: list[int] = []
    for chunk in chunked(dict.fromkeys(artist_ids)):
        numbers.extend(connection.scalars(select(artists.c.number).where(artists.c.artist_id.in_(chunk))))
    return tuple(numbers)


def vector(connection: Connection, key: int, fingerprint: str) -> NDArray[np.float32] | None:
    """See Catalog.vector."""
    row = connection.execute(_FIND_VECTOR, {"wanted": key, "of": fingerprint}).one_or_none()
    return None if row is None else decode_vectors([row.vector], row.dim)[0]


def changes(connection: Connection, since: int, limit: int, fingerprint: str) -> Changes:
    """See Catalog.changes.

    Puts and endings are two lists in order of the sequence, each read one further than `limit`: merged, their first
    `limit` numbers are all there, and one more tells that history goes on.
    """
    latest = connection.scalar(select(state.c.sequence)) or 0
    engine = connection.execute(select(engines).where(engines.c.fingerprint == fingerprint)).one_or_none()
    put_rows = [] if engine is None else _puts(connection, since, limit + 1, engine.number)
    ended_rows = _endings(connection, since, limit + 1)

    put_keys = np.array([row[0] for row in put_rows], np.int64)
    ended_at = np.array([row[0] for row in ended_rows], np.int64)
    numbers = np.union1d(put_keys, ended_at)
    more = len(numbers) > limit
    upto = int(numbers[limit - 1]) if more else latest

    kept = put_rows[: int(np.searchsorted(put_keys, upto, side="right"))]
    ended = ended_rows[: int(np.searchsorted(ended_at, upto, side="right"))]
    return Changes(
        keys=put_keys[: len(kept)],
        vectors=np.empty((0, 0), np.float32)
        if engine is None
        else decode_vectors([row[2] for row in kept], engine.dim),
        artists=np.array([row[1] for row in kept], np.int64),
        removed=np.array([row[1] for row in ended], np.int64),
        upto=upto,
        more=more,
    )


def _puts(connection: Connection, since: int, limit: int, engine: int) -> Sequence[Row[Any, Any, Any]]:
    """Return (key, artist number, vector) of live views that have a vector of the engine."""
    found = (
        select(views.c.key, entries.c.artist, embeddings.c.vector)
        .join(embeddings, (embeddings.c.key == views.c.key) & (embeddings.c.engine == engine))
        .join(entries, entries.c.number == views.c.entry)
        .where(views.c.key > since)
        .order_by(views.c.key)
        .limit(limit)
    )
    return connection.execute(found).all()


def _endings(connection: Connection, since: int, limit: int) -> Sequence[Row[Any, Any]]:
    found = select(endings).where(endings.c.sequence > since).order_by(endings.c.sequence).limit(limit)
    return connection.execute(found).all()
