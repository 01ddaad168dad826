"""Backs a catalogue up while it is being written to."""

from __future__ import annotations

import fcntl
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from arthur.backup.blobs import Listed, keep_blobs, listed
from arthur.backup.indices import keep_indices, pieces_of
from arthur.backup.manifest import Manifest, unpacked
from arthur.backup.place import Deposit, Place
from arthur.backup.progress import Advance, Progress
from arthur.blobs import Blobs
from arthur.catalog.database import Database
from arthur.catalog.faults import store_errors
from arthur.catalog.moving import IDENTITY, Moved, move
from arthur.catalog.schema import HEAD, notes
from arthur.catalog.sqlite import open_sqlite
from arthur.errors import ArthurError, Conflict, StoreError
from arthur.release import installed_version

__all__ = ["BackedUp", "Holding", "back_up"]

_WORK = "backing-up"


@dataclass(frozen=True, slots=True)
class Holding:
    """What is backed up.

    Attributes:
        catalog: the catalogue.
        blobs: the pictures of its views.
        data: the folder in which the catalogue is copied first.
        indices: folders of indices, by their names in the backup.
    """

    catalog: Database
    blobs: Blobs
    data: Path
    indices: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A finished backup, and how much of it had to be written."""

    manifest: Manifest
    written: int
    written_bytes: int


def back_up(holding: Holding, place: Place, progress: Progress, *, replace: bool = False) -> BackedUp:
    """Write a backup in the place of the one that is there, which stays whole until this one is.

    The catalogue is that of one sequence. Killed at any moment it goes on where it was when it is run again. What is
    there already, of an earlier backup or of one that was killed, is not written again.

    Raises:
        Conflict: the place holds a backup of another catalogue, which only `replace` gives up, or of a newer Arthur;
            or another backup of the data folder, or to the place, is being made.
        ConfigError: the catalogue is of a newer Arthur.
        StoreError: a store does not answer, or cannot be written to. The backup that was there is whole.
    """
    with _work(holding.data) as file:
        with progress("catalogue") as advance:
            moved = _copied(holding.catalog, file, advance)
        with closing(open_sqlite(file)) as copy:
            identity = _identity(copy)
            before = _listed(place, _before(place, identity, replace=replace))
            deposit = Deposit(place)
            with progress("pictures") as advance:
                kept = keep_blobs(copy, holding.blobs, deposit, before=before, advance=advance)
        manifest = Manifest(
            backup_id=secrets.token_hex(6),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            arthur=installed_version(),
            schema=HEAD,
            identity=identity,
            sequence=moved.sequence,
            rows=moved.rows,
            catalog=tuple(pieces_of(file, deposit)),
            lists=kept.lists,
            blobs=kept.blobs,
            blob_bytes=kept.blob_bytes,
            indices=keep_indices(holding.indices, deposit),
        )
        deposit.finish(manifest)
    return BackedUp(manifest, deposit.written, deposit.written_bytes)


@contextmanager
def _work(data: Path) -> Iterator[Path]:
    """Yield the file into which the catalogue is copied, which no other process has.

    It stays only where the process was killed or interrupted: a disk that is full needs the space.
    """
    folder = data / _WORK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                yield folder / "catalog.db"
            finally:
                if not isinstance(sys.exception(), KeyboardInterrupt):
                    shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError as error:
        raise Conflict("another backup of this data folder is being made") from error
    except OSError as error:
        raise StoreError(f"the backup's copy in {folder} failed: {error.strerror}") from error


def _copied(source: Database, file: Path, advance: Advance) -> Moved:
    """Copy the catalogue into a file, going on with what a killed backup has left if it is of any use."""
    left_over = file.exists()
    try:
        return _moved(source, file, advance)
    except ArthurError:
        if not left_over:
            raise
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)
    return _moved(source, file, advance)


def _moved(source: Database, file: Path, advance: Advance) -> Moved:
    with closing(open_sqlite(file)) as copy:
        return move(source, copy, advance)


def _identity(copy: Database) -> str:
    with store_errors(), copy.reader.begin() as connection:
        return str(connection.scalar(select(notes.c.value).where(notes.c.name == IDENTITY)))


def _before(place: Place, identity: str, *, replace: bool) -> Manifest | None:
    """Return the manifest of an earlier backup of the catalogue; None where there is none that can be read."""
    data, before = place.read_manifest(), None
    if data is not None:
        with suppress(StoreError):
            before = unpacked(data)
    if before is None or before.identity == identity:
        return before
    if not replace:
        raise Conflict("the place holds a backup of another catalogue: name another, or replace it with --replace")
    return None


def _listed(place: Place, before: Manifest | None) -> Iterator[Listed]:
    """Yield the blobs of an earlier backup, as far as its lists are sound."""
    if before is not None:
        with suppress(StoreError):
            yield from listed(place, before)
