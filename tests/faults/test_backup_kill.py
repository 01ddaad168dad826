"""kill -9 at every step, and a full disk: a backup or a catalogue is whole, or nobody takes it for whole."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from arthur.backup.place import open_place
from arthur.backup.restoring import Target, check, restore
from arthur.catalog import open_catalog
from arthur.catalog.opening import open_database
from arthur.errors import ConfigError, StoreError
from tests.backups import Estate, contents_at, silent

KILLER = Path(__file__).with_name("backup_killer.py")


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with closing(open_database(f"sqlite:///{tmp_path}/data/catalog.db")) as database:
        estate = Estate(database, tmp_path / "data")
        estate.enrol(1)
        estate.back_up()
        yield estate


def killed(action: str, estate: Estate, target: str) -> Iterator[int]:
    """Yield after each kill, and after the turn that was not killed."""
    command = [sys.executable, str(KILLER), action, str(estate.data), str(estate.place), target]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for line in process.stdout:
            yield int(line)
            process.stdin.write("\n")
            process.stdin.flush()
    assert process.returncode == 0


def test_a_killed_backup_leaves_the_one_before_and_ends_when_run_again(estate: Estate, tmp_path: Path) -> None:
    estate.enrol(2)
    seen = [check(open_place(str(estate.place)), silent).sequence for _ in killed("backup", estate, "")]
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (1, 3)
    assert len(seen) > 6
    target = Target(tmp_path / "new", f"sqlite:///{tmp_path}/new/catalog.db", f"file://{tmp_path}/new/blobs")
    restore(open_place(str(estate.place)), target, silent)
    assert contents_at(target.catalog_url, target.data / "blobs") == estate.contents()


def unfinished(url: str) -> bool:
    """Whether whoever opens the catalogue is told that it is being restored."""
    try:
        open_catalog(url).close()
    except ConfigError as error:
        return "never finished" in str(error)
    return False


def test_a_killed_restore_is_no_catalogue_and_ends_when_run_again(estate: Estate, tmp_path: Path) -> None:
    turns = 0
    for turn in killed("restore", estate, f"{tmp_path}/restored-{{turn}}"):
        data, turns = tmp_path / f"restored-{turn}", turns + 1
        target = Target(data, f"sqlite:///{data}/catalog.db", f"file://{data}/blobs")
        if not (data / "catalog.db").exists() or unfinished(target.catalog_url):
            restore(open_place(str(estate.place)), target, silent)
        assert contents_at(target.catalog_url, data / "blobs") == estate.contents()
    assert turns > 8


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """Let the disk be full for whoever wants to write more into one file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("size", "sentence"), [(20_000, "full"), (2_000_000, "the disk is full")])
def test_a_full_disk_is_an_error_and_the_backup_before_stays(estate: Estate, size: int, sentence: str) -> None:
    put = estate.enrol(1)
    (picture,) = (estate.data / "blobs").rglob(f"*/{put}.jpg")
    picture.write_bytes(bytes(3_000_000))
    with no_file_grows_beyond(size), pytest.raises(StoreError, match=sentence):
        estate.back_up()
    assert check(open_place(str(estate.place)), silent).sequence == 1
    assert not (estate.data / "backing-up").exists()
    assert estate.back_up().manifest.sequence == 2


def test_a_full_disk_leaves_a_restore_that_goes_on(estate: Estate, tmp_path: Path) -> None:
    target = Target(tmp_path / "new", f"sqlite:///{tmp_path}/new/catalog.db", f"file://{tmp_path}/new/blobs")
    with no_file_grows_beyond(20_000), pytest.raises(StoreError):
        restore(open_place(str(estate.place)), target, silent)
    restore(open_place(str(estate.place)), target, silent)
    assert contents_at(target.catalog_url, target.data / "blobs") == estate.contents()
