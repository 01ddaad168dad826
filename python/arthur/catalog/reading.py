"""Reads of the SQL catalogue. Each function works inside the caller's read transaction, that is on one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, select

from arthur.catalog.chunks import chunked
from arthur.catalog.embedders import first_unembedded
from arthur.catalog.records import select_views, stored_view
from arthur.catalog.schema import artists, embeddings, endings, engines, entries, state, verifiers, views
from arthur.catalog.schema import features as feature_rows
from arthur.catalog.vectors import decode_vectors
from arthur.errors import BadRequest
from arthur.types import Changes, FeatureChanges, Keys, StoredView

__all__ = [
    "artist_numbers",
    "changes",
    "check_stretch",
    "feature_changes",
    "features",
    "one_view",
    "vectors",
    "views_by_key",
]

# What every recognition reads is put together once: that takes SQLAlchemy longer than SQLite takes to answer.
_FIND_VIEWS = select_views().where(views.c.key.in_(bindparam("keys", expanding=True)))
_FIND_VECTORS = (
    select(embeddings.c.key, embeddings.c.vector, engines.c.dim)
    .join(engines, embeddings.c.engine == engines.c.number)
    .where(embeddings.c.key.in_(bindparam("keys", expanding=True)), engines.c.fingerprint == bindparam("of"))
)
_FIND_FEATURES = (
    select(feature_rows.c.key, feature_rows.c.data)
    .join(verifiers, feature_rows.c.verifier == verifiers.c.number)
    .where(feature_rows.c.key.in_(bindparam("keys", expanding=True)), verifiers.c.fingerprint == bindparam("of"))
)


def one_view(connection: Connection, query: Select[*tuple[Any, ...]]) -> StoredView | None:
    """Return the view that a query of `select_views` finds, None where it finds none."""
    row = connection.execute(query).one_or_none()
    return None if row is None else stored_view(row)


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


def vectors(connection: Connection, keys: Keys, fingerprint: str) -> dict[int, NDArray[np.float32]]:
    """See Catalog.vectors."""
    found: dict[int, NDArray[np.float32]] = {}
    for chunk in chunked(keys.tolist()):
        rows = connection.execute(_FIND_VECTORS, {"keys": chunk, "of": fingerprint}).all()
        if rows:
            unpacked = decode_vectors([row.vector for row in rows], rows[0].dim)
            found.update(zip([row.key for row in rows], unpacked, strict=True))
    return found


def features(connection: Connection, keys: Keys, fingerprint: str) -> dict[int, bytes]:
    """See Catalog.features."""
    found: dict[int, bytes] = {}
    for chunk in chunked(keys.tolist()):
        found.update(
            (row.key, row.data) for row in connection.execute(_FIND_FEATURES, {"keys": chunk, "of": fingerprint})
        )
    return found


def changes(connection: Connection, since: int, limit: int, fingerprint: str) -> Changes:
    """See Catalog.changes."""
    engine = connection.execute(select(engines).where(engines.c.fingerprint == fingerprint)).one_or_none()
    rows = (
        [] if engine is None else _puts(connection, since, limit + 1, embeddings, embeddings.c.engine == engine.number)
    )
    stretch = _stretch(connection, since, limit, rows)
    if fingerprint != connection.scalar(select(state.c.engine)):
        gap = first_unembedded(connection, fingerprint, since, stretch.upto)
        stretch = stretch if gap is None else _stretch(connection, since, limit, rows, before=gap)
    vectors = np.empty((0, 0), np.float32) if engine is None else decode_vectors(stretch.data, engine.dim)
    return Changes(stretch.keys, vectors, stretch.artists, stretch.removed, stretch.upto, stretch.more)


def feature_changes(connection: Connection, since: int, limit: int, fingerprint: str) -> FeatureChanges:
    """See Catalog.feature_changes."""
    known = select(verifiers.c.number).where(verifiers.c.fingerprint == fingerprint)
    number = connection.scalar(known)
    rows = (
        [] if number is None else _puts(connection, since, limit + 1, feature_rows, feature_rows.c.verifier == number)
    )
    stretch = _stretch(connection, since, limit, rows)
    return FeatureChanges(
        stretch.keys, tuple(stretch.data), stretch.artists, stretch.removed, stretch.upto, stretch.more
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    keys: Keys
    data: list[bytes]
    artists: Keys
    removed: Keys
    upto: int
    more: bool


def _stretch(
    connection: Connection, since: int, limit: int, put_rows: Sequence[Row[Any, Any, Any]], *, before: int | None = None
) -> _Stretch:
    """Join puts and endings to `limit` changes of history, or to those `before` a number at which it ends as yet.

    They are two lists in order of the sequence, each read one further than `limit`: merged, their first `limit`
    numbers are all there, and one more tells that history goes on.
    """
    latest = connection.scalar(select(state.c.sequence)) or 0
    ended_rows = _endings(connection, since, limit + 1)
    put_keys = np.array([row[0] for row in put_rows], np.int64)
    ended_at = np.array([row[0] for row in ended_rows], np.int64)
    numbers = np.union1d(put_keys, ended_at)
    more = len(numbers) > limit
    upto = int(numbers[limit - 1]) if more else latest
    if before is not None:
        more, upto = False, before - 1
    kept = put_rows[: int(np.searchsorted(put_keys, upto, side="right"))]
    ended = ended_rows[: int(np.searchsorted(ended_at, upto, side="right"))]
    return _Stretch(
        keys=put_keys[: len(kept)],
        data=[row[2] for row in kept],
        artists=np.array([row[1] for row in kept], np.int64),
        removed=np.array([row[1] for row in ended], np.int64),
        upto=upto,
        more=more,
    )


def _puts(
    connection: Connection, since: int, limit: int, table: Table, of: ColumnElement[bool]
) -> Sequence[Row[Any, Any, Any]]:
    """Return (key, artist number, data) of live views that have a row `of` one maker in `table`: (key, maker, data)."""
    found = (
        select(views.c.key, entries.c.artist, table.columns.values()[2])
        .join(table, (table.c.key == views.c.key) & of)
        .join(entries, entries.c.number == views.c.entry)
        .where(views.c.key > since)
        .order_by(views.c.key)
        .limit(limit)
    )
    return connection.execute(found).all()


def _endings(connection: Connection, since: int, limit: int) -> Sequence[Row[Any, Any]]:
    found = select(endings).where(endings.c.sequence > since).order_by(endings.c.sequence).limit(limit)
    return connection.execute(found).all()


def check_stretch(since: int, limit: int) -> None:
    """Raise BadRequest if no stretch of history can be meant."""
    if since < 0 or limit < 1:
        raise BadRequest("since must not be negative and limit must be positive")
