"""Claims of restoring: all of a backup or nothing, into an empty place alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from arthur.backup.manifest import packed
from arthur.backup.place import open_place
from arthur.backup.restoring import Target, check, restore
from arthur.catalog import open_catalog
from arthur.catalog.opening import open_database
from arthur.catalog.restoring import begin_restore
from arthur.errors import ArthurError, ConfigError, Conflict, StoreError
from tests.backups import Estate, contents_at, silent

Harm = Callable[[bytes], bytes]

HARMS: dict[str, Harm] = {
    "cut": lambda data: data[:-1],
    "emptied": lambda data: b"",
    "longer": lambda data: data + b"\0",
    "flipped at the start": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "flipped in the middle": lambda data: (
        (half := len(data) // 2) and data[:half] + bytes([data[half] ^ 4]) + data[half + 1 :]
    ),
    "flipped at the end": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
}


def restored(estate: Estate, target: Target) -> None:
    restore(open_place(str(estate.place)), target, silent)


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_damaged_file_is_refused_whichever_it_is(estate: Estate, target: Target, harm: Harm) -> None:
    estate.back_up()
    for path in (*estate.objects, estate.place / "backup.json"):
        sound = path.read_bytes()
        path.write_bytes(harm(sound))
        with pytest.raises(StoreError, match=r"^the backup is damaged: "):
            restored(estate, target)
        path.write_bytes(sound)
    assert not target.data.exists()
    restored(estate, target)


def test_a_missing_file_is_refused_whichever_it_is(estate: Estate, target: Target) -> None:
    estate.back_up()
    for path in (*estate.objects, estate.place / "backup.json"):
        path.rename(aside := path.with_suffix(".aside"))
        with pytest.raises(StoreError, match=r"is missing|has no backup.json"):
            restored(estate, target)
        aside.rename(path)
    assert not target.data.exists()


def test_every_flipped_bit_of_a_manifest_is_found(estate: Estate) -> None:
    estate.back_up()
    path = estate.place / "backup.json"
    sound = path.read_bytes()
    place = open_place(str(estate.place))
    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ (1 << at % 8)]) + sound[at + 1 :])
        with pytest.raises(ArthurError):
            place.manifest()


def test_a_manifest_of_another_format_is_refused(estate: Estate, target: Target) -> None:
    estate.back_up()
    path = estate.place / "backup.json"
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
    with pytest.raises(Conflict, match="the backup is of format 2; this Arthur reads 1"):
        restored(estate, target)
    with pytest.raises(Conflict, match="format 2"):
        estate.back_up()
    assert not target.data.exists()


def test_a_backup_of_a_newer_schema_is_refused(estate: Estate, target: Target) -> None:
    manifest = replace(estate.back_up().manifest, schema="9999", arthur="9.0")
    (estate.place / "backup.json").write_bytes(packed(manifest))
    with pytest.raises(Conflict, match=r"written by Arthur 9\.0, which is newer"):
        restored(estate, target)
    assert not target.data.exists()


def test_a_folder_that_is_none_is_no_backup(target: Target, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no backup"):
        open_place(str(tmp_path / "missing"))
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("name", ["catalog.db", "notes.txt", "blobs/thumbnails/1.jpg"])
def test_a_folder_that_holds_something_is_refused(estate: Estate, target: Target, name: str) -> None:
    estate.back_up()
    with closing(open_catalog(target.catalog_url)) as catalog:
        catalog.put_note("mine", "1")
    if name != "catalog.db":
        (target.data / "catalog.db").unlink()
    (target.data / name).parent.mkdir(parents=True, exist_ok=True)
    (target.data / name).open("ab").close()
    before = {path: path.stat().st_size for path in target.data.rglob("*")}
    with pytest.raises(Conflict, match="name an empty one"):
        restored(estate, target)
    assert {path: path.stat().st_size for path in target.data.rglob("*")} == before


def test_a_blob_store_that_holds_something_is_refused(estate: Estate, target: Target, tmp_path: Path) -> None:
    estate.back_up()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "picture").write_bytes(b"1")
    with pytest.raises(Conflict, match="the blob store is not empty"):
        restored(estate, replace(target, blobs_url=f"file://{tmp_path}/store"))
    assert not target.data.exists()


def test_engines_may_be_there_before(estate: Estate, target: Target) -> None:
    estate.back_up()
    (target.data / "engines" / "mine").mkdir(parents=True)
    restored(estate, target)
    assert contents_at(target.catalog_url, target.data / "blobs") == estate.contents()


def test_a_restored_catalogue_has_an_identity_of_its_own(estate: Estate, target: Target) -> None:
    estate.back_up()
    restored(estate, target)
    with closing(open_catalog(target.catalog_url)) as catalog:
        assert catalog.note("identity") not in (None, estate.catalog.note("identity"))


def test_a_check_reads_everything_and_writes_nothing(estate: Estate, tmp_path: Path) -> None:
    estate.back_up()
    place, before = open_place(str(estate.place)), sorted(tmp_path.rglob("*"))
    assert check(place, silent) == place.manifest()
    assert sorted(tmp_path.rglob("*")) == before
    estate.objects[0].unlink()
    with pytest.raises(StoreError, match="is missing"):
        check(place, silent)


@pytest.mark.service("postgresql")
def test_a_restore_into_postgresql_is_no_catalogue_before_its_end(
    estate: Estate, target: Target, postgres: str
) -> None:
    backup_id = estate.back_up().manifest.backup_id
    served = replace(target, catalog_url=postgres)
    with closing(open_database(postgres)) as database:
        begin_restore(database, backup_id)
    with pytest.raises(ConfigError, match="a restore that was never finished"):
        open_catalog(postgres)
    restored(estate, served)
    assert contents_at(postgres, target.data / "blobs") == estate.contents()
    with pytest.raises(Conflict, match="holds a catalogue already"):
        restored(estate, served)


def test_another_backup_does_not_go_on_with_an_unfinished_restore(estate: Estate, target: Target) -> None:
    estate.back_up()
    with closing(open_database(target.catalog_url)) as database:
        begin_restore(database, "0123456789ab")
    with pytest.raises(ConfigError, match="a restore that was never finished"):
        open_catalog(target.catalog_url)
    with pytest.raises(Conflict, match="unfinished restore of another backup"):
        restored(estate, target)
