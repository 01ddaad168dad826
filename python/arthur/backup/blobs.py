"""The blobs of a backup: which there are, in order of the views they belong to, and copying them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeVar

import orjson
from sqlalchemy import func, select

from arthur.backup.manifest import Manifest, Piece
from arthur.backup.place import Deposit, Place
from arthur.backup.progress import Advance
from arthur.blobs import Blobs
from arthur.catalog.database import Database
from arthur.catalog.faults import store_errors
from arthur.catalog.schema import views
from arthur.pictures import original_name, thumbnail_name

__all__ = ["Kept", "Listed", "check_blobs", "keep_blobs", "listed", "put_blobs"]

_THREADS = 8
_PAGE = 500
_LINES = 10_000
# Blobs that wait for a thread; no more than one for each thread is in memory.
_AT_ONCE = 64

Item = TypeVar("Item")
Result = TypeVar("Result")


class Listed(NamedTuple):
    """A blob of a backup: the key of its view, its name, and its bytes."""

    key: int
    name: str
    piece: Piece


class _Version(NamedTuple):
    key: int
    vector_id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The blobs of a backup: their lists, how many there are, and how long they are together."""

    lists: tuple[Piece, ...]
    blobs: int
    blob_bytes: int


def listed(place: Place, manifest: Manifest) -> Iterator[Listed]:
    """Yield the blobs of a backup in order of (key, name).

    Raises:
        StoreError: a list is missing or damaged, or the store does not answer.
    """
    for part in manifest.lists:
        for line in place.read(part).splitlines():
            key, name, blake3, size = orjson.loads(line)
            yield Listed(key, name, Piece(blake3, size))


def keep_blobs(copy: Database, blobs: Blobs, deposit: Deposit, *, before: Iterator[Listed], advance: Advance) -> Kept:
    """Make the blobs of all views of a copied catalogue part of a backup; those kept `before` are not read again.

    A version's picture never changes, so its name and the key are enough to know it. What is not in the blob store,
    because it was never made or its view ended since, is left out.

    Raises:
        StoreError: a store does not answer, or cannot be written to.
    """
    lines, lists, count, total = bytearray(), [], 0, 0
    for found in _found(copy, _Keeping(blobs, deposit, before), advance):
        lines += orjson.dumps([found.key, found.name, found.piece.blake3, found.piece.size]) + b"\n"
        count, total = count + 1, total + found.piece.size
        if count % _LINES == 0:
            lists.append(deposit.put(bytes(lines)))
            lines.clear()
    if lines:
        lists.append(deposit.put(bytes(lines)))
    return Kept(tuple(lists), count, total)


def check_blobs(place: Place, manifest: Manifest, advance: Advance) -> None:
    """Read every blob of a backup. Raises StoreError where one is missing or damaged."""

    def check(blob: Listed) -> None:
        place.read(blob.piece)

    for done, _ in enumerate(_side_by_side(check, listed(place, manifest)), 1):
        advance(done, manifest.blobs)


def put_blobs(place: Place, manifest: Manifest, blobs: Blobs, advance: Advance) -> None:
    """Put every blob of a backup into a blob store. Raises StoreError."""

    def bring(blob: Listed) -> None:
        blobs.put(blob.name, place.read(blob.piece))

    for done, _ in enumerate(_side_by_side(bring, listed(place, manifest)), 1):
        advance(done, manifest.blobs)


class _Keeping:
    """Finds what is kept of a version's picture, by what was kept before or by reading it."""

    def __init__(self, blobs: Blobs, deposit: Deposit, before: Iterator[Listed]) -> None:
        self._blobs = blobs
        self._deposit = deposit
        self._before = before
        self._next = next(before, None)

    def __call__(self, wanted: tuple[int, str, Listed | None]) -> Listed | None:
        """Make one blob part of the backup. Callable from any thread."""
        key, name, known = wanted
        if known is not None and self._deposit.use(known.piece):
            return known
        data = self._blobs.read(name)
        return None if data is None else Listed(key, name, self._deposit.put(data))

    def known(self, key: int, name: str) -> Listed | None:
        """Return the blob if it was kept before; to be asked in order of (key, name)."""
        while self._next is not None and self._next[:2] < (key, name):
            self._next = next(self._before, None)
        return self._next if self._next is not None and self._next[:2] == (key, name) else None


def _found(copy: Database, keeping: _Keeping, advance: Advance) -> Iterator[Listed]:
    """Yield the blobs that there are, in order of (key, name)."""

    def wanted() -> Iterator[tuple[int, str, Listed | None]]:
        for version in versions:
            for name in (original_name(version), thumbnail_name(version)):
                yield version.key, name, keeping.known(version.key, name)

    query, after, done = select(views.c.key, views.c.vector_id).order_by(views.c.key).limit(_PAGE), 0, 0
    with store_errors(), copy.reader.begin() as connection:
        total = int(connection.scalar(select(func.count()).select_from(views)) or 0)
        while rows := connection.execute(query.where(views.c.key > after)).all():
            versions = [_Version(row.key, row.vector_id) for row in rows]
            yield from (one for one in _side_by_side(keeping, wanted()) if one is not None)
            after, done = versions[-1].key, done + len(versions)
            advance(done, total)


def _side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield the work's results in order; no more than a page of items is waited for at a time."""
    waiting = iter(items)
    with ThreadPoolExecutor(_THREADS) as threads:
        while page := list(islice(waiting, _AT_ONCE)):
            yield from threads.map(work, page)
