"""Claims of backing up."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from arthur.backup.place import Deposit, open_place
from arthur.backup.restoring import Target, check, restore
from arthur.catalog import open_catalog
from arthur.catalog.opening import open_database
from arthur.errors import Conflict
from tests.backups import Estate, contents_at, silent, view


def test_a_backup_is_restored_with_every_row_and_picture(estate: Estate, target: Target) -> None:
    done = estate.back_up()
    assert restore(open_place(str(estate.place)), target, silent) == done.manifest
    assert contents_at(target.catalog_url, target.data / "blobs") == estate.contents()
    assert (done.manifest.sequence, done.manifest.rows["views"], done.manifest.blobs) == (3, 3, 5)


@pytest.mark.service("postgresql")
def test_a_catalogue_goes_to_postgresql_and_back(estate: Estate, target: Target, postgres: str, tmp_path: Path) -> None:
    estate.back_up()
    served = Target(tmp_path / "served", postgres, f"file://{tmp_path}/served/blobs")
    restore(open_place(str(estate.place)), served, silent)
    with closing(open_database(postgres)) as database:
        second = Estate(database, tmp_path / "served")
        second.enrol(3)
        second.place = tmp_path / "second"
        second.back_up()
        restore(open_place(str(second.place)), target, silent)
        assert contents_at(target.catalog_url, target.data / "blobs") == second.contents()


@contextmanager
def churning(estate: Estate) -> Iterator[dict[int, set[str]]]:
    """Put and remove views meanwhile; yields, once that goes on, which there were at each sequence."""
    history, going, stop = {}, Event(), Event()
    live = {str(number) for number in range(3)}

    def churn() -> None:
        for number in count(10):
            estate.catalog.put([view(number)])
            live.add(str(number))
            history[estate.catalog.latest()] = set(live)
            if number % 3 == 0:
                estate.catalog.remove(f"a{number % 3}", "e", str(number))
                live.remove(str(number))
                history[estate.catalog.latest()] = set(live)
            if number == 20:
                going.set()
            if stop.is_set():
                return

    with ThreadPoolExecutor(1) as thread:
        churned = thread.submit(churn)
        going.wait(60)
        yield history
        stop.set()
        churned.result()


def test_a_backup_under_writes_is_the_catalogue_of_one_sequence(estate: Estate, target: Target) -> None:
    with churning(estate) as history:
        manifest = estate.back_up().manifest
    restore(open_place(str(estate.place)), target, silent)
    with closing(open_catalog(target.catalog_url)) as restored:
        rows = restored.views(np.arange(manifest.sequence + 1))
        assert {stored.view.view_id for stored in rows.values()} == history[manifest.sequence]
        assert restored.latest() == manifest.sequence <= estate.catalog.latest()
        assert restored.counts().views == len(rows)


def test_a_second_backup_writes_what_is_new_and_drops_what_is_gone(estate: Estate, target: Target) -> None:
    estate.back_up()
    assert estate.back_up().written == 0
    before = set(estate.objects)
    estate.catalog.remove("a0", "e", "0")
    estate.enrol(1)
    done = estate.back_up()
    kept = before & set(estate.objects)
    assert (len(before), len(kept), done.written) == (7, 3, 4)
    restore(open_place(str(estate.place)), target, silent)
    restored = contents_at(target.catalog_url, target.data / "blobs")
    assert (restored[0], len(restored[1])) == (estate.contents()[0], 5)


def test_pictures_of_an_earlier_backup_are_not_read_again(estate: Estate) -> None:
    estate.back_up()
    shutil.rmtree(estate.data / "blobs")
    assert estate.back_up().manifest.blobs == 5


def test_a_piece_that_was_cut_short_is_written_again(estate: Estate) -> None:
    estate.back_up()
    for path in estate.objects:
        path.write_bytes(path.read_bytes()[:-1])
    assert estate.back_up().written == 7
    check(open_place(str(estate.place)), silent)


def test_a_view_without_a_picture_is_backed_up(estate: Estate) -> None:
    shutil.rmtree(estate.data / "blobs" / "thumbnails")
    assert (estate.back_up().manifest.rows["views"], estate.back_up().manifest.blobs) == (3, 2)


def test_a_backup_of_another_catalogue_is_given_up_only_when_told(estate: Estate, tmp_path: Path) -> None:
    estate.back_up()
    with closing(open_database(f"sqlite:///{tmp_path}/other/catalog.db")) as database:
        other = Estate(database, tmp_path / "other")
        other.enrol(1)
        with pytest.raises(Conflict, match="another catalogue"):
            other.back_up()
        assert check(open_place(str(estate.place)), silent).sequence == 3
        other.back_up(replace=True)
    assert check(open_place(str(estate.place)), silent).sequence == 1


def test_one_backup_of_a_data_folder_is_made_at_a_time(estate: Estate) -> None:
    (estate.data / "backing-up").mkdir()
    with (estate.data / "backing-up" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="another backup"):
            estate.back_up()


def test_a_place_that_another_backup_was_written_to_meanwhile_is_left_alone(estate: Estate) -> None:
    place = open_place(str(estate.place), made=True)
    late = Deposit(place)
    late.put(b"late")
    manifest = estate.back_up().manifest
    with pytest.raises(Conflict, match="meanwhile"):
        late.finish(replace(manifest, sequence=1))
    assert check(place, silent) == manifest


def test_nothing_is_left_in_the_data_folder(estate: Estate) -> None:
    before = {path.name for path in estate.data.iterdir()}
    estate.back_up()
    assert {path.name for path in estate.data.iterdir()} == before
