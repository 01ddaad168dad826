"""Restores a backup into an empty place, after every byte of it was checked."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.exceptions import BaseError

from arthur.backup.blobs import check_blobs, put_blobs
from arthur.backup.manifest import Manifest
from arthur.backup.place import Place
from arthur.backup.progress import Progress
from arthur.blobs import open_blobs
from arthur.blobs.object_store import open_object_store
from arthur.catalog.database import Database
from arthur.catalog.migrate import bring_up_to_date
from arthur.catalog.moving import copy
from arthur.catalog.opening import open_database, sqlite_file
from arthur.catalog.restoring import begin_restore, end_restore, restored_by
from arthur.catalog.schema import HEAD
from arthur.catalog.sqlite import open_sqlite
from arthur.errors import Conflict, StoreError

__all__ = ["Target", "check", "restore"]

_WORK = "restoring"
_FILE = "file://"
# What a folder may hold that counts as empty: engines are no part of a backup, and a fresh disk has the other.
_NO_MATTER = frozenset((_WORK, "engines", "lost+found"))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a backup is restored to: a data folder, and the URLs of the catalogue and the blob store."""

    data: Path
    catalog_url: str
    blobs_url: str


def check(place: Place, progress: Progress) -> Manifest:
    """Read a backup from its first byte to its last and return its manifest.

    Raises:
        Conflict: the backup is of a newer Arthur.
        StoreError: it is damaged or not whole, or its place does not answer.
    """
    manifest = place.manifest()
    if manifest.schema > HEAD:
        raise Conflict(f"the backup was written by Arthur {manifest.arthur}, which is newer than this one")
    pieces = [*manifest.catalog, *(piece for file in manifest.indices for piece in file.pieces)]
    with progress("check catalogue") as advance:
        for done, piece in enumerate(pieces, 1):
            place.read(piece)
            advance(done, len(pieces))
    with progress("check pictures") as advance:
        check_blobs(place, manifest, advance)
    return manifest


def restore(place: Place, target: Target, progress: Progress) -> Manifest:
    """Restore a backup, after all of it was checked; killed at any moment it is to be run again.

    Until it has ended nobody can open the target's catalogue.

    Raises:
        Conflict: the target holds something already; or see check. Nothing was changed.
        ConfigError: a URL of the target is not of a known form, or its database is another program's.
        StoreError: see check, nothing was changed; or the target does not answer, or cannot be written to.
    """
    _check_vacant(target, place.manifest())
    manifest = check(place, progress)
    with _fetched(place, manifest, target.data) as source, closing(open_database(target.catalog_url)) as database:
        bring_up_to_date(source)
        begin_restore(database, manifest.backup_id)
        with progress("pictures") as advance:
            put_blobs(place, manifest, open_blobs(target.blobs_url), advance)
        with progress("catalogue") as advance:
            copy(source, database, advance)
        if target.blobs_url.startswith(_FILE):
            os.sync()
        end_restore(database, identity=uuid.uuid4().hex)
    return manifest


@contextmanager
def _fetched(place: Place, manifest: Manifest, data: Path) -> Iterator[Database]:
    """Yield the catalogue of a backup, in a folder of the target that goes in any case."""
    folder = data / _WORK
    made = not data.exists()
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with (folder / "catalog.db").open("wb") as file:
            for piece in manifest.catalog:
                file.write(place.read(piece))
        with closing(open_sqlite(folder / "catalog.db")) as database:
            yield database
    except OSError as error:
        raise StoreError(f"the backup cannot be copied to {folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if made and not any(data.iterdir()):
            data.rmdir()


def _check_vacant(target: Target, manifest: Manifest) -> None:
    """Refuse a target that holds anything, but for an unfinished restore of this very backup."""
    file = sqlite_file(target.catalog_url)
    if file is None or file.exists():
        with closing(open_database(target.catalog_url)) as database:
            if restored_by(database) == f"{HEAD}-{manifest.backup_id}":
                return
    mine = _NO_MATTER | ({f"{file.name}{part}" for part in ("", "-wal", "-shm")} if file else frozenset())
    if target.data.exists() and any(one.name not in mine for one in target.data.iterdir()):
        raise Conflict(f"the folder {target.data} is not empty: name an empty one with --data")
    if not _vacant(target.blobs_url):
        raise Conflict("the blob store is not empty: name an empty one")


def _vacant(blobs_url: str) -> bool:
    if blobs_url.startswith(_FILE) and not Path(blobs_url.removeprefix(_FILE)).exists():
        return True
    try:
        return not any(page for page in obstore.list(open_object_store(blobs_url), chunk_size=1))
    except (BaseError, OSError, ValueError) as error:
        raise StoreError("the blob store does not answer") from error
