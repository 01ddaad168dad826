"""Claims of index files in a backup: a replica begins with them, and nothing depends on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from arthur.backup.backing import Holding, back_up
from arthur.backup.indices import index_folders, restore_indices
from arthur.backup.place import Place, open_place
from arthur.backup.restoring import check
from arthur.errors import Conflict, StoreError
from arthur.index import VectorIndex, open_index
from tests.backups import Estate, silent


def opened(data: Path) -> VectorIndex:
    return open_index(f"usearch:{data}/index/f?tail=64", dim=8, fingerprint="f@identity")


def folders(data: Path) -> dict[str, Path]:
    return index_folders(f"usearch:{data}/index", f"inverted:{data}/local?tail=9")


@pytest.fixture
def kept(estate: Estate) -> Iterator[Place]:
    """A backup with an index of three sealed generations, which is in use."""
    place = open_place(str(estate.place), made=True)
    with closing(opened(estate.data)) as index:
        for first in (0, 200, 400):
            rows = np.eye(8, dtype=np.float32)[np.arange(200) % 8]
            index.put(np.arange(first, first + 200), rows, np.zeros(200, np.int64))
            index.advance(first + 200)
            index.checkpoint()
        back_up(Holding(estate.database, estate.blobs, estate.data, folders(estate.data)), place, silent)
        yield place


def test_a_replica_begins_where_the_index_was(kept: Place, tmp_path: Path) -> None:
    assert restore_indices(kept, folders(tmp_path / "replica"), silent) > 2
    with closing(opened(tmp_path / "replica")) as index:
        assert (index.sequence, len(index)) == (600, 600)


def test_an_index_that_is_there_is_left_alone(kept: Place, estate: Estate) -> None:
    with pytest.raises(Conflict, match="there is an index already"):
        restore_indices(kept, folders(estate.data), silent)


def test_a_backup_without_indices_says_so(estate: Estate, tmp_path: Path) -> None:
    estate.back_up()
    with pytest.raises(Conflict, match="--with-index"):
        restore_indices(open_place(str(estate.place)), folders(tmp_path / "replica"), silent)


def test_a_damaged_index_file_is_refused_and_the_rest_is_no_index(kept: Place, estate: Estate, tmp_path: Path) -> None:
    newest = kept.manifest().indices[-1]
    (estate.place / newest.pieces[0].name).write_bytes(b"")
    with pytest.raises(StoreError, match="is damaged"):
        check(kept, silent)
    with pytest.raises(StoreError, match="is damaged"):
        restore_indices(kept, folders(tmp_path / "replica"), silent)
    with closing(opened(tmp_path / "replica")) as index:
        assert index.sequence == 0
