"""A catalogue with pictures that is backed up, and comparing what was restored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import numpy as np

from arthur.backup.backing import BackedUp, Holding, back_up
from arthur.backup.place import open_place
from arthur.blobs import open_blobs
from arthur.catalog.comparing import checksum
from arthur.catalog.database import Database
from arthur.catalog.opening import open_database
from arthur.catalog.schema import metadata, notes
from arthur.catalog.sql import SqlCatalog
from arthur.pictures import original_name, thumbnail_name
from arthur.types import LocalFeatures, NewView, ViewId

Contents = tuple[dict[str, bytes], dict[str, bytes]]


def silent(_stage: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Show no progress."""
    return nullcontext(lambda _done, _total: None)


def view(name: int) -> NewView:
    """A view whose content depends on its name alone."""
    vector = np.random.default_rng(name).standard_normal(8).astype(np.float32)
    place = ViewId(f"a{name % 3}", "e", str(name))
    features = LocalFeatures("verifier", bytes([name % 256]))
    return NewView(
        place, vector / np.linalg.norm(vector), "f", "h", "s", "jpeg", 3, 2, 1, {"ü": name}, features=features
    )


class Estate:
    """A catalogue, its pictures, and the folder of its backups."""

    def __init__(self, database: Database, data: Path) -> None:
        self.database = database
        self.catalog = SqlCatalog(database)
        self.blobs = open_blobs(f"file://{data}/blobs")
        self.data = data
        self.place = data.with_name("backup")

    def enrol(self, count: int) -> int:
        """Put views with a thumbnail each, and an original of each second one; a note besides; return the last key."""
        first = self.catalog.latest()
        for put in self.catalog.put([view(first + number) for number in range(count)]):
            self.blobs.put(thumbnail_name(put.stored), b"thumbnail %d" % put.stored.key)
            if put.stored.key % 2:
                self.blobs.put(original_name(put.stored), b"original %d" % put.stored.key)
        self.catalog.put_note("calibration", f"é{first}")
        return self.catalog.latest()

    def back_up(self, *, replace: bool = False) -> BackedUp:
        """Back everything up."""
        holding = Holding(self.database, self.blobs, self.data)
        return back_up(holding, open_place(str(self.place), made=True), silent, replace=replace)

    def contents(self) -> Contents:
        """What there is to be restored."""
        return contents(self.database, self.data / "blobs")

    @property
    def objects(self) -> list[Path]:
        """The files of the backup, but for its manifest."""
        return sorted(path for path in (self.place / "objects").rglob("*") if path.is_file())


def contents(database: Database, blobs: Path) -> Contents:
    """A checksum of every table, but for the identity, and all pictures."""
    with database.reader.begin() as connection:
        rows = {table.name: connection.execute(table.select()).all() for table in metadata.sorted_tables}
    rows[notes.name] = [row for row in rows[notes.name] if row.name != "identity"]
    pictures = {str(path.relative_to(blobs)): path.read_bytes() for path in blobs.rglob("*") if path.is_file()}
    return {name: checksum(sorted(found)) for name, found in rows.items()}, pictures


def contents_at(url: str, blobs: Path) -> Contents:
    """As `contents`, of the catalogue at a URL."""
    with closing(open_database(url)) as database:
        return contents(database, blobs)
