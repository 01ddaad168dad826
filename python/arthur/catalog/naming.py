"""From ids to the numbers by which the tables know artists and entries, within the caller's write transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BindParameter, Connection, bindparam, insert, select

from arthur.catalog.chunks import chunked
from arthur.catalog.schema import artists, entries, views
from arthur.types import ViewId

__all__ = ["Name", "NamedViews", "Version", "name_views"]

Name: TypeAlias = tuple[int, str]
"""Number of the entry and view id, or number of the artist and entry id."""

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PARENT: BindParameter[Any] = bindparam("parent")
_FIND_ARTISTS = select(artists.c.artist_id, artists.c.number).where(artists.c.artist_id.in_(_IDS))
_FIND_ENTRIES = select(entries).where(entries.c.artist == _PARENT, entries.c.entry_id.in_(_IDS))
_FIND_VIEWS = select(views.c.view_id, views.c.key, views.c.created_us).where(
    views.c.entry == _PARENT, views.c.view_id.in_(_IDS)
)


class Version(NamedTuple):
    """The live version of a view: its key, and when its name was first put."""

    key: int
    created_us: int


class NamedViews(NamedTuple):
    """What the tables know of views that are to be put.

    Attributes:
        names: of each view, in order.
        before: the live versions of those that exist.
        new_artists, new_entries: how many were put for them.
    """

    names: list[Name]
    before: dict[Name, Version]
    new_artists: int
    new_entries: int


def name_views(connection: Connection, ids: Sequence[ViewId]) -> NamedViews:
    """Look up the views of those ids; artists and entries that are new are put."""
    artist_of, new_artists = _number_artists(connection, {view.artist_id for view in ids})
    entry_names = [(artist_of[view.artist_id], view.entry_id) for view in ids]
    entry_of, new_entries = _number_entries(connection, set(entry_names), new_artists)
    names = [(entry_of[name], view.view_id) for name, view in zip(entry_names, ids, strict=True)]
    return NamedViews(names, _versions(connection, set(names), new_entries), len(new_artists), len(new_entries))


def _number_artists(connection: Connection, wanted: set[str]) -> tuple[dict[str, int], set[int]]:
    """Return the numbers of artists by id, and which of them are new."""
    numbers: dict[str, int] = {}
    for chunk in chunked(wanted):
        rows = connection.execute(_FIND_ARTISTS, {"ids": chunk})
        numbers.update({row.artist_id: row.number for row in rows})
    new = [{"artist_id": artist_id} for artist_id in sorted(wanted - numbers.keys())]
    if not new:
        return numbers, set()
    added = connection.execute(insert(artists).returning(artists.c.artist_id, artists.c.number), new).all()
    numbers.update({row.artist_id: row.number for row in added})
    return numbers, {row.number for row in added}


def _number_entries(
    connection: Connection, wanted: set[Name], new_artists: set[int]
) -> tuple[dict[Name, int], set[int]]:
    """Return the numbers of entries by artist number and entry id, and which of them are new."""
    numbers: dict[Name, int] = {}
    for artist, chunk in _by_parent(wanted, new_artists):
        rows = connection.execute(_FIND_ENTRIES, {"parent": artist, "ids": chunk})
        numbers.update({(artist, row.entry_id): row.number for row in rows})
    new = [{"artist": artist, "entry_id": entry_id} for artist, entry_id in sorted(wanted - numbers.keys())]
    if not new:
        return numbers, set()
    added = connection.execute(insert(entries).returning(entries), new).all()
    numbers.update({(row.artist, row.entry_id): row.number for row in added})
    return numbers, {row.number for row in added}


def _versions(connection: Connection, names: set[Name], new_entries: set[int]) -> dict[Name, Version]:
    """Return the live versions of those views that exist."""
    versions: dict[Name, Version] = {}
    for entry, chunk in _by_parent(names, new_entries):
        rows = connection.execute(_FIND_VIEWS, {"parent": entry, "ids": chunk})
        versions.update({(entry, row.view_id): Version(row.key, row.created_us) for row in rows})
    return versions


def _by_parent(names: Iterable[Name], empty: set[int]) -> Iterator[tuple[int, list[str]]]:
    """Yield each parent's number with the ids below it, in chunks, but for parents known to be empty.

    A query by parent finds its rows in the index, in every database; SQLite answers one for all pairs, by
    `(parent, id) IN (VALUES ...)`, with a scan of the whole table.
    """
    known = sorted(name for name in names if name[0] not in empty)
    for parent, group in groupby(known, key=itemgetter(0)):
        for chunk in chunked(name for _, name in group):
            yield parent, chunk
