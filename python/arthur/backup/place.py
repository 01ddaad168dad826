"""Where backups lie: a folder or an object store, by obstore."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from arthur.backup.manifest import Manifest, Piece, packed, piece_of, unpacked
from arthur.blobs.object_store import open_object_store
from arthur.errors import Conflict, StoreError

__all__ = ["Deposit", "Place", "open_place"]

_MANIFEST = "backup.json"
# A folder may hold what is no object, such as what a write that was killed has left.
_OBJECT = re.compile(r"objects/[0-9a-f]{2}/([0-9a-f]{64})")
_FILE = "file://"
# Errno of a full disk, of a file that may not grow, and of a quota, as the library writes them.
_FULL = re.compile(r"os error (27|28|122)\)")


class Place:
    """Reads a backup. Callable from any thread."""

    def __init__(self, store: ObjectStore, *, folder: bool) -> None:
        """Read from `store`; a `folder` is synced when something was written."""
        self._store = store
        self._folder = folder

    def manifest(self) -> Manifest:
        """Return the manifest.

        Raises:
            Conflict: it is of another format.
            StoreError: there is none, it is damaged, or the store does not answer.
        """
        data = self.read_manifest()
        if data is None:
            raise StoreError("there is no backup, or one that was never finished: it has no backup.json")
        return unpacked(data)

    def read_manifest(self) -> bytes | None:
        """Return the manifest as it is written, None where there is none."""
        return self._read(_MANIFEST)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest, once everything before it is on the disk."""
        self._sync()
        with _place_errors():
            obstore.put(self._store, _MANIFEST, packed(manifest))
        self._sync()

    def read(self, piece: Piece) -> bytes:
        """Return the bytes of a piece.

        Raises:
            StoreError: it is missing or damaged, or the store does not answer.
        """
        data = self._read(piece.name)
        if data is None:
            raise StoreError(f"the backup is damaged: {piece.name} is missing")
        if piece_of(data) != piece:
            raise StoreError(f"the backup is damaged: {piece.name} is not what was written")
        return data

    def put(self, piece: Piece, data: bytes) -> None:
        """Write the bytes of a piece, whole or not at all."""
        with _place_errors():
            obstore.put(self._store, piece.name, data)

    def sizes(self) -> dict[bytes, int]:
        """Return the sizes of all objects by the BLAKE3 in their names."""
        with _place_errors():
            listed = (one for page in obstore.list(self._store, prefix="objects") for one in page)
            found = ((_OBJECT.fullmatch(one["path"]), one["size"]) for one in listed)
            return {bytes.fromhex(name[1]): size for name, size in found if name}

    def remove(self, hashes: Iterator[bytes]) -> None:
        """Remove objects."""
        names = [Piece(one.hex(), 0).name for one in hashes]
        with _place_errors():
            if names:
                obstore.delete(self._store, names)

    def _read(self, name: str) -> bytes | None:
        with _place_errors():
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def _sync(self) -> None:
        if self._folder:
            os.sync()


class Deposit:
    """A backup that is being written beside the one that is there. `put` and `use` are callable from any thread."""

    def __init__(self, place: Place) -> None:
        """Look at what is there.

        Raises:
            StoreError: the store does not answer.
        """
        self._place = place
        self._before = place.read_manifest()
        self._there = place.sizes()
        self._used: dict[bytes, int] = {}
        self.written = 0
        self.written_bytes = 0

    def put(self, data: bytes) -> Piece:
        """Make `data` part of the backup; it is written unless it is there."""
        piece = piece_of(data)
        if not self.use(piece):
            self._place.put(piece, data)
            self._used[bytes.fromhex(piece.blake3)] = piece.size
            self.written += 1
            self.written_bytes += piece.size
        return piece

    def use(self, piece: Piece) -> bool:
        """Make a piece that is there part of the backup; return False if it is not there, or not whole."""
        digest = bytes.fromhex(piece.blake3)
        if digest in self._used:
            return True
        if self._there.get(digest) != piece.size:
            return False
        self._used[digest] = piece.size
        return True

    def finish(self, manifest: Manifest) -> None:
        """Replace the backup that was there, and remove what only that one held.

        Raises:
            Conflict: somebody else wrote a backup there meanwhile. Nothing was replaced.
            StoreError: the store does not answer, or cannot be written to.
        """
        there = self._place.sizes()
        if self._place.read_manifest() != self._before or any(there.get(one) != n for one, n in self._used.items()):
            raise Conflict("another backup was written to the same place meanwhile")
        self._place.write_manifest(manifest)
        self._place.remove(one for one in there if one not in self._used)


def open_place(name: str, *, made: bool = False) -> Place:
    """Open a folder, or what a URL (file:, s3:, gs:, az:) names; a folder is `made` if it is missing.

    Raises:
        ConfigError: the URL is not of a known form, or the folder cannot be made.
        StoreError: there is no such folder.
    """
    url = name if "://" in name else f"{_FILE}{Path(name).resolve()}"
    folder = url.startswith(_FILE)
    if folder and not made and not Path(url.removeprefix(_FILE)).is_dir():
        raise StoreError(f"there is no backup: {url.removeprefix(_FILE)} is no folder")
    return Place(open_object_store(url), folder=folder)


@contextmanager
def _place_errors() -> Iterator[None]:
    """Turn what the library raises inside the block into StoreError."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        if _FULL.search(str(error)):
            raise StoreError("the backup cannot be written: the disk is full") from error
        raise StoreError("the place of the backup did not answer, or cannot be read or written") from error
