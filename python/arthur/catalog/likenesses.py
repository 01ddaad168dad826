"""Pairs of views that look alike, in the SQL catalogue. Each function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, Select, delete, insert, select, tuple_

from arthur.catalog import Page
from arthur.catalog.chunks import chunked
from arthur.catalog.cursors import check_limit, read_cursor, write_cursor
from arthur.catalog.reading import views_by_key
from arthur.catalog.schema import artists, entries, likenesses, views
from arthur.errors import BadRequest
from arthur.types import Likeness, LikenessKind, StoredLikeness

__all__ = ["list_likenesses", "put_likenesses"]


def put_likenesses(connection: Connection, found: Sequence[Likeness], compared: Sequence[int]) -> None:
    """See Catalog.put_likenesses."""
    for chunk in chunked(compared):
        connection.execute(delete(likenesses).where(likenesses.c.newer.in_(chunk)))
    pairs = {(max(one.key, one.other), min(one.key, one.other)): one for one in found}
    keys = np.unique(np.array(list(pairs), np.int64))
    live = views_by_key(connection, keys)
    for (newer, older), one in pairs.items():
        if newer in live and older in live and newer != older:
            connection.execute(delete(likenesses).where(likenesses.c.newer == newer, likenesses.c.older == older))
            row = {"kind": one.kind, "probability": one.probability, "score": one.score}
            inliers = {"inliers": one.inliers, "coverage": one.coverage}
            connection.execute(insert(likenesses).values(newer=newer, older=older, **row, **inliers))


def list_likenesses(
    connection: Connection, kind: LikenessKind, *, cursor: str | None, limit: int, only: Sequence[str] | None
) -> Page[StoredLikeness]:
    """See Catalog.likenesses."""
    scope = ("likenesses", kind)
    after = read_cursor(cursor, scope, 2)
    query = select(likenesses).where(likenesses.c.kind == kind)
    if only is not None:
        kept = _keys_of(only)
        query = query.where(likenesses.c.newer.in_(kept), likenesses.c.older.in_(kept))
    if after:
        query = query.where(tuple_(likenesses.c.newer, likenesses.c.older) < tuple(map(_number, after)))
    query = query.order_by(likenesses.c.newer.desc(), likenesses.c.older.desc()).limit(check_limit(limit) + 1)
    rows = connection.execute(query).all()
    keys = np.array([(row.newer, row.older) for row in rows[:limit]], np.int64).ravel()
    live = views_by_key(connection, keys)
    page = tuple(
        StoredLikeness(live[row.newer], live[row.older], kind, row.probability, row.score, row.inliers, row.coverage)
        for row in rows[:limit]
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(page, None if last is None else write_cursor(scope, (str(last.newer), str(last.older))))


def _keys_of(artist_ids: Sequence[str]) -> Select[tuple[int]]:
    """Select the keys of artists' live views."""
    joined = views.join(entries, views.c.entry == entries.c.number).join(artists, entries.c.artist == artists.c.number)
    return select(views.c.key).select_from(joined).where(artists.c.artist_id.in_(artist_ids))


def _number(part: str) -> int:
    if not part.isdecimal() or len(part) > 19:
        raise BadRequest("the cursor is not one of this list")
    return int(part)
