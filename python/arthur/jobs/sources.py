"""What there is to import: a folder of pictures, or a manifest that names them.

A source is read while it is listed, and can be read on from any place of it. What cannot be an item is given as
Refused, with its place, and the rest goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import dropwhile
from pathlib import Path, PurePosixPath

from arthur.errors import ArthurError, BadRequest
from arthur.jobs.items import MAIN_VIEW, Found, Item, Refused
from arthur.jobs.manifests import Row, open_manifest, open_urls
from arthur.types import JsonValue, ViewId

SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".j2k", ".jp2", ".jpe", ".jpeg", ".jpg", ".png", ".ppm"}
    | {".psd", ".tif", ".tiff", ".webp"}
)
URL_LIST = ".txt"


def open_source(path: Path, *, artist_id: str | None = None, after: str = "") -> Iterator[Found]:
    """Open a folder, a manifest (.csv, .parquet, .jsonl), or a list of URLs (.txt); read it on behind a place.

    A folder is laid out as `artist/entry/view.jpg`, or `artist/entry.jpg` for an entry with one view, called main;
    where `artist_id` is given it is one artist's folder, and that first level is left out.
    A manifest has the columns artist_id, entry_id, optionally view_id, and path (relative to the manifest) or url;
    every further column is metadata. A list of URLs has one in each line, all of the artist that is given; an entry is
    called as its URL without the scheme.

    Raises:
        BadRequest: there is nothing at the path, or it is none of these; a folder holds no pictures; a manifest
            lacks a column, or was given together with an artist, or a list of URLs without one.
    """
    if path.is_dir():
        if next(_pictures(path), None) is None:
            raise BadRequest(f"there are no pictures below {path} (links to folders are not followed)")
        return named(_places(path, after), () if artist_id is None else (artist_id,))
    if path.suffix.lower() == URL_LIST and path.is_file():
        if artist_id is None:
            raise BadRequest("a list of URLs needs an artist; a manifest can name one for each")
        return (row_item({**row.cells, "artist_id": artist_id}, row) for row in _behind(open_urls(path), after))
    if artist_id is not None:
        raise BadRequest("an artist can be given for a folder only; a manifest names its artists itself")
    if not path.is_file():
        raise BadRequest(f"{path} is neither a folder nor a manifest")
    return (row_item(row.cells, row) for row in _behind(open_manifest(path), after))


def named(places: Iterator[PurePosixPath], above: tuple[str, ...], *, prefix: str = "") -> Iterator[Found]:
    """Name each picture by `above` and its folders. Of those that differ in their suffix alone the first counts.

    Those below the URL of a `prefix`, which ends in a slash, are objects.
    """
    seen: set[PurePosixPath] = set()
    parent = PurePosixPath()
    for place in places:
        if place.parent != parent:
            parent, seen = place.parent, set()
        if place.with_suffix("") in seen:
            yield Refused(str(place), "another file here has the same name up to the suffix")
        else:
            seen.add(place.with_suffix(""))
            yield _placed_item(place, above, prefix)


def row_item(cells: Mapping[str, JsonValue], row: Row) -> Found:
    """Return what a row of a manifest names."""
    if row.fault:
        return Refused(row.place, row.fault)
    left = dict(cells)
    artist_id, entry_id = _text(left.pop("artist_id", None)), _text(left.pop("entry_id", None))
    view_id = _text(left.pop("view_id", None)) or MAIN_VIEW
    url, path = _text(left.pop("url", None)), _text(left.pop("path", None))
    for column, value in (("artist_id", artist_id), ("entry_id", entry_id)):
        if not value.strip():
            return Refused(row.place, f"column {column!r} is blank")
    if not url and not path:
        return Refused(row.place, "columns 'path' and 'url' are both blank")
    try:
        view = ViewId(artist_id, entry_id, view_id)
    except ArthurError as error:
        return Refused(row.place, str(error))
    metadata = {name: value for name, value in left.items() if value is not None}
    return Item(row.place, view, path or url, "file" if path else "url", metadata)


def _pictures(root: Path) -> Iterator[PurePosixPath]:
    """Give the picture files below a folder, in a fixed order; hidden ones and links to folders are passed over."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and PurePosixPath(name).suffix.lower() in SUFFIXES:
                yield PurePosixPath(Path(folder, name).relative_to(root).as_posix())


def _places(root: Path, after: str) -> Iterator[PurePosixPath]:
    """Give the pictures behind a place, which may be gone meanwhile."""
    reached = _order(PurePosixPath(after)) if after else ()
    return dropwhile(lambda place: _order(place) <= reached, _pictures(root))


def _order(place: PurePosixPath) -> tuple[tuple[bool, str], ...]:
    """Return what sorts places as they are walked: a folder's files before its folders."""
    *folders, name = place.parts
    return (*((True, folder) for folder in folders), (False, name))


def _behind(rows: Iterator[Row], after: str) -> Iterator[Row]:
    """Leave out the rows up to a place."""
    if not after:
        return rows
    number = int(after.removeprefix("row "))
    return dropwhile(lambda row: int(row.place.removeprefix("row ")) <= number, rows)


def _placed_item(place: PurePosixPath, above: tuple[str, ...], prefix: str) -> Found:
    names = (*above, *place.with_suffix("").parts)
    if len(names) == 1:
        return Refused(str(place), "it lies in no artist's folder; if all of these are one artist's, name the artist")
    if len(names) > 3:
        return Refused(str(place), "it lies deeper than artist/entry/view")
    try:
        view = ViewId(names[0], names[1], names[2] if len(names) == 3 else MAIN_VIEW)
    except ArthurError as error:
        return Refused(str(place), str(error))
    return Item(str(place), view, f"{prefix}{place}", "object" if prefix else "file")


def _text(value: JsonValue) -> str:
    """Return a cell as text; ids may be numbers in Parquet and JSON."""
    return "" if value is None else str(value)
