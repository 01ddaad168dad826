"""What there is to import: a folder of pictures, or a manifest that names them.

A source is read while it is imported. What cannot be an item is given as Refused, with its place, and the rest goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from arthur.errors import ArthurError, BadRequest
from arthur.jobs.manifests import Row, open_manifest
from arthur.types import JsonValue, Metadata, ViewId

MAIN_VIEW = "main"
"""The view of a picture that is named by artist and entry alone."""
SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".j2k", ".jp2", ".jpe", ".jpeg", ".jpg", ".png", ".ppm"}
    | {".psd", ".tif", ".tiff", ".webp"}
)


@dataclass(frozen=True, slots=True)
class Item:
    """A picture to be imported.

    Attributes:
        place: where the source names it: "row 7", or a path within the folder.
        source: as the source names the picture: a path relative to it, or a URL.
        file: the file to read; None when `source` is a URL.
    """

    place: str
    view: ViewId
    source: str
    file: Path | None
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Refused:
    """A place of the source that names no picture, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """Items to import and how many there are."""

    total: int
    items: Iterable[Item | Refused]


def open_source(path: Path, *, artist_id: str | None = None) -> Source:
    """Open a folder, or a manifest (.csv, .parquet, .jsonl).

    A folder is laid out as `artist/entry/view.jpg`, or `artist/entry.jpg` for an entry with one view, called main;
    where `artist_id` is given it is one artist's folder, and that first level is left out.
    A manifest has the columns artist_id, entry_id, optionally view_id, and path (relative to the manifest) or url;
    every further column is metadata.

    Raises:
        BadRequest: there is nothing at the path, or it is none of these; a folder holds no pictures; or a manifest
            lacks a column, or was given together with an artist.
    """
    if path.is_dir():
        total = sum(1 for _ in _pictures(path))
        if total == 0:
            raise BadRequest(f"there are no pictures below {path} (links to folders are not followed)")
        return Source(total, _folder_items(path, () if artist_id is None else (artist_id,)))
    if artist_id is not None:
        raise BadRequest("an artist can be given for a folder only; a manifest names its artists itself")
    if not path.is_file():
        raise BadRequest(f"{path} is neither a folder nor a manifest")
    manifest = open_manifest(path)
    return Source(manifest.total, (_manifest_item(row, path.parent) for row in manifest.rows))


def _pictures(root: Path) -> Iterator[Path]:
    """Give the picture files below a folder, in a fixed order; hidden ones and links to folders are passed over."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)


def _folder_items(root: Path, above: tuple[str, ...]) -> Iterator[Item | Refused]:
    """Name each picture by `above` and its folders. Of files that differ in their suffix alone the first counts."""
    named: set[Path] = set()
    parent = root
    for file in _pictures(root):
        if file.parent != parent:
            parent, named = file.parent, set()
        place = file.relative_to(root)
        if place.with_suffix("") in named:
            yield Refused(str(place), "another file here has the same name up to the suffix")
        else:
            named.add(place.with_suffix(""))
            yield _folder_item(file, place, above)


def _folder_item(file: Path, place: Path, above: tuple[str, ...]) -> Item | Refused:
    names = (*above, *place.with_suffix("").parts)
    if len(names) == 1:
        return Refused(str(place), "it lies in no artist's folder; if all of these are one artist's, name the artist")
    if len(names) > 3:
        return Refused(str(place), "it lies deeper than artist/entry/view")
    try:
        view = ViewId(names[0], names[1], names[2] if len(names) == 3 else MAIN_VIEW)
    except ArthurError as error:
        return Refused(str(place), str(error))
    return Item(str(place), view, str(place), file, {})


def _manifest_item(row: Row, folder: Path) -> Item | Refused:
    if row.fault:
        return Refused(row.place, row.fault)
    cells = dict(row.cells)
    artist_id, entry_id = _text(cells.pop("artist_id", None)), _text(cells.pop("entry_id", None))
    view_id = _text(cells.pop("view_id", None)) or MAIN_VIEW
    url, path = _text(cells.pop("url", None)), _text(cells.pop("path", None))
    for column, value in (("artist_id", artist_id), ("entry_id", entry_id)):
        if not value.strip():
            return Refused(row.place, f"column {column!r} is blank")
    if not url and not path:
        return Refused(row.place, "columns 'path' and 'url' are both blank")
    try:
        view = ViewId(artist_id, entry_id, view_id)
    except ArthurError as error:
        return Refused(row.place, str(error))
    metadata: dict[str, JsonValue] = {name: value for name, value in cells.items() if value is not None}
    return Item(row.place, view, path or url, folder / path if path else None, metadata)


def _text(value: JsonValue) -> str:
    """Return a cell as text; ids may be numbers in Parquet and JSON."""
    return "" if value is None else str(value)
