"""Lists of the SQL catalogue, page by page. Each function works inside the caller's read transaction.

A page begins behind the ids its cursor holds, so it costs the same wherever it is, and rows that come or go meanwhile
shift nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, func, select, tuple_

from arthur.catalog import ArtistRow, EntryRow, Page
from arthur.catalog.cursors import check_limit, read_cursor, write_cursor
from arthur.catalog.records import select_views, stored_view
from arthur.catalog.schema import artists, entries, views
from arthur.types import StoredView

__all__ = ["list_artists", "list_entries", "list_views"]

Listed = TypeVar("Listed")


def list_artists(
    connection: Connection, *, cursor: str | None, limit: int, only: Sequence[str] | None
) -> Page[ArtistRow]:
    """See Catalog.artists."""
    scope = ("artists",)
    after = read_cursor(cursor, scope, 1)
    entry_count = select(func.count()).where(entries.c.artist == artists.c.number).scalar_subquery()
    view_count = (
        select(func.count())
        .select_from(views.join(entries, views.c.entry == entries.c.number))
        .where(entries.c.artist == artists.c.number)
        .scalar_subquery()
    )
    query = select(artists.c.artist_id, artists.c.number, entry_count, view_count).order_by(artists.c.artist_id)
    if only is not None:
        query = query.where(artists.c.artist_id.in_(only))
    if after:
        query = query.where(artists.c.artist_id > after[0])
    rows = [ArtistRow(*row) for row in connection.execute(query.limit(check_limit(limit) + 1))]
    return _page(rows, limit, lambda row: write_cursor(scope, (row.artist_id,)))


def list_entries(connection: Connection, artist_id: str, *, cursor: str | None, limit: int) -> Page[EntryRow]:
    """See Catalog.entries."""
    scope = ("entries", artist_id)
    after = read_cursor(cursor, scope, 1)
    view_count = select(func.count()).where(views.c.entry == entries.c.number).scalar_subquery()
    query = (
        select(artists.c.artist_id, entries.c.entry_id, view_count)
        .join(entries, entries.c.artist == artists.c.number)
        .where(artists.c.artist_id == artist_id)
        .order_by(entries.c.entry_id)
    )
    if after:
        query = query.where(entries.c.entry_id > after[0])
    rows = [EntryRow(*row) for row in connection.execute(query.limit(check_limit(limit) + 1))]
    return _page(rows, limit, lambda row: write_cursor(scope, (row.entry_id,)))


def list_views(
    connection: Connection, artist_id: str, entry_id: str | None, *, cursor: str | None, limit: int
) -> Page[StoredView]:
    """See Catalog.views_of."""
    scope = ("views", artist_id) if entry_id is None else ("views", artist_id, entry_id)
    after = read_cursor(cursor, scope, 2)
    query = select_views().where(artists.c.artist_id == artist_id)
    if entry_id is not None:
        query = query.where(entries.c.entry_id == entry_id)
    if after:
        # The first condition says nothing new; it lets the database begin in the index of entries.
        query = query.where(entries.c.entry_id >= after[0], tuple_(entries.c.entry_id, views.c.view_id) > after)
    query = query.order_by(entries.c.entry_id, views.c.view_id).limit(check_limit(limit) + 1)
    rows = [stored_view(row) for row in connection.execute(query)]
    return _page(rows, limit, lambda row: write_cursor(scope, (row.view.entry_id, row.view.view_id)))


def _page(rows: Sequence[Listed], limit: int, cursor_behind: Callable[[Listed], str]) -> Page[Listed]:
    """Make a page of `rows`, which were read one further than `limit`."""
    if len(rows) <= limit:
        return Page(tuple(rows), None)
    return Page(tuple(rows[:limit]), cursor_behind(rows[limit - 1]))
