"""Artists and entries: lists, single ones, and removal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from arthur.catalog import Page
from arthur.errors import NotFound
from arthur.types import check_id
from arthur.web.answers import ArtistOut, ArtistsOut, EntriesOut, EntryOut, RemovedOut, ViewsOut
from arthur.web.http import Request, Response, json_response
from arthur.web.routes.views import removed, view_members
from arthur.web.routing import Doc, Route
from arthur.web.schemas import PageParams, query_model
from arthur.web.service import Service

Row = TypeVar("Row")

_ARTIST = "/api/v1/artists/{artist_id}"
_ENTRY = _ARTIST + "/entries/{entry_id}"
_COUNTED = 1000


def list_artists(service: Service, request: Request) -> Response:
    """List the artists that have views."""
    params = query_model(PageParams, request.query)
    page = service.catalog.artists(cursor=params.cursor, limit=params.limit, only=request.caller.only)
    rows = [{"artist_id": row.artist_id, "entries": row.entries, "views": row.views} for row in page.rows]
    return json_response({"artists": rows, "next_cursor": page.next_cursor})


def show_artist(service: Service, request: Request) -> Response:
    """Show an artist and count what there is of it."""
    artist_id = _id(request, "artist_id")
    rows = list(_all(lambda cursor: service.catalog.entries(artist_id, cursor=cursor, limit=_COUNTED)))
    if not rows:
        raise NotFound(f"there is no artist {artist_id!r}")
    views = sum(row.views for row in rows)
    return json_response({"artist_id": artist_id, "entries": len(rows), "views": views})


def remove_artist(service: Service, request: Request) -> Response:
    """Remove an artist with all its views."""
    artist_id = _id(request, "artist_id")
    return removed(service.recognizer.forget(artist_id), artist_id, artist_id)


def list_entries(service: Service, request: Request) -> Response:
    """List an artist's entries; an unknown artist has none."""
    params = query_model(PageParams, request.query)
    page = service.catalog.entries(_id(request, "artist_id"), cursor=params.cursor, limit=params.limit)
    rows = [{"artist_id": row.artist_id, "entry_id": row.entry_id, "views": row.views} for row in page.rows]
    return json_response({"entries": rows, "next_cursor": page.next_cursor})


def show_entry(service: Service, request: Request) -> Response:
    """Show an entry and count its views."""
    artist_id, entry_id = _id(request, "artist_id"), _id(request, "entry_id")
    views = _all(lambda cursor: service.catalog.views_of(artist_id, entry_id, cursor=cursor, limit=_COUNTED))
    count = sum(1 for _ in views)
    if count == 0:
        raise NotFound(f"there is no entry {entry_id!r} of artist {artist_id!r}")
    return json_response({"artist_id": artist_id, "entry_id": entry_id, "views": count})


def remove_entry(service: Service, request: Request) -> Response:
    """Remove an entry with all its views."""
    artist_id, entry_id = _id(request, "artist_id"), _id(request, "entry_id")
    return removed(service.recognizer.forget(artist_id, entry_id), entry_id, f"{artist_id}.{entry_id}")


def list_views(service: Service, request: Request) -> Response:
    """List an entry's views; an unknown entry has none."""
    params = query_model(PageParams, request.query)
    artist_id, entry_id = _id(request, "artist_id"), _id(request, "entry_id")
    page = service.catalog.views_of(artist_id, entry_id, cursor=params.cursor, limit=params.limit)
    return json_response({"views": [view_members(row) for row in page.rows], "next_cursor": page.next_cursor})


def _id(request: Request, name: str) -> str:
    return check_id(request.params[name], name)


def _all(ask: Callable[[str | None], Page[Row]]) -> Iterator[Row]:
    """Give the rows of all pages."""
    page = ask(None)
    yield from page.rows
    while page.next_cursor is not None:
        page = ask(page.next_cursor)
        yield from page.rows


ROUTES = (
    Route(
        "GET",
        "/api/v1/artists",
        list_artists,
        Doc("List artists", "catalogue", query=PageParams, answers={200: ArtistsOut}),
        scope="read",
        confined=True,
    ),
    Route("GET", _ARTIST, show_artist, Doc("Show an artist", "catalogue", answers={200: ArtistOut}), scope="read"),
    Route(
        "DELETE", _ARTIST, remove_artist, Doc("Remove an artist", "catalogue", answers={200: RemovedOut}), scope="write"
    ),
    Route(
        "GET",
        _ARTIST + "/entries",
        list_entries,
        Doc("List an artist's entries", "catalogue", query=PageParams, answers={200: EntriesOut}),
        scope="read",
    ),
    Route("GET", _ENTRY, show_entry, Doc("Show an entry", "catalogue", answers={200: EntryOut}), scope="read"),
    Route(
        "DELETE", _ENTRY, remove_entry, Doc("Remove an entry", "catalogue", answers={200: RemovedOut}), scope="write"
    ),
    Route(
        "GET",
        _ENTRY + "/views",
        list_views,
        Doc("List an entry's views", "catalogue", query=PageParams, answers={200: ViewsOut}),
        scope="read",
    ),
)
