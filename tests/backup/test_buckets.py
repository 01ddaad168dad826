"""A backup in an object store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arthur.backup.backing import BackedUp, Holding, back_up
from arthur.backup.place import open_place
from arthur.backup.restoring import Target, restore
from arthur.errors import StoreError
from tests.backups import Estate, contents_at, silent
from tests.bucket import Bucket, serving

PLACE = "s3://museum/nightly"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with serving({"other/objects/ab/mine": b"1"}, monkeypatch) as bucket:
        yield bucket


def backed_up(estate: Estate) -> BackedUp:
    return back_up(Holding(estate.database, estate.blobs, estate.data), open_place(PLACE), silent)


def test_a_bucket_keeps_the_newest_backup_and_nothing_else(estate: Estate, bucket: Bucket, target: Target) -> None:
    assert backed_up(estate).written == 7
    estate.catalog.remove("a0")
    estate.enrol(1)
    assert backed_up(estate).written == 4
    assert len(bucket.kept) == 1 + 7 + 1
    restore(open_place(PLACE), target, silent)
    assert contents_at(target.catalog_url, target.data / "blobs")[0] == estate.contents()[0]


def test_a_bucket_that_refuses_keeps_the_backup_before(estate: Estate, bucket: Bucket) -> None:
    backed_up(estate)
    estate.enrol(1)
    bucket.full, before = True, dict(bucket.kept)
    with pytest.raises(StoreError, match="cannot be read or written"):
        backed_up(estate)
    assert bucket.kept == before
    assert open_place(PLACE).manifest().sequence == 3


def test_an_object_that_is_missing_is_refused(estate: Estate, bucket: Bucket, target: Target) -> None:
    backed_up(estate)
    del bucket.kept[max(key for key in bucket.kept if key.startswith("nightly/objects"))]
    with pytest.raises(StoreError, match="is missing"):
        restore(open_place(PLACE), target, silent)
    assert not target.data.exists()
