"""Pictures in an object store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arthur.errors import BadRequest, ImageTooLarge, InvalidImage, StoreError
from arthur.jobs.items import Item, Refused
from arthur.jobs.objects import open_objects, open_prefix
from tests.bucket import Bucket, serving

KEYS = (
    "other/a/e.jpg",
    "works/a/e1.jpg",
    "works/a/e1.png",
    "works/a/e2/front.jpg",
    "works/a/note.txt",
    "works/b/e3.jpg",
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with serving({key: key.encode() for key in KEYS}, monkeypatch) as bucket:
        yield bucket


def test_a_prefix_names_views_by_its_levels_and_is_read_on_behind_any_key(store: Bucket) -> None:
    found = list(open_prefix("s3://museum/works/"))
    assert [one.place for one in found] == ["a/e1.jpg", "a/e1.png", "a/e2/front.jpg", "b/e3.jpg"]
    first, twin, front, _ = found
    assert isinstance(first, Item)
    assert isinstance(front, Item)
    assert (front.view.hierarchical, front.where) == ("a.e2.front", "object")
    assert first.source == "s3://museum/works/a/e1.jpg"
    assert isinstance(twin, Refused)
    assert list(open_prefix("s3://museum/works", after="a/e2/front.jpg")) == found[3:]


def test_an_object_is_read_by_its_url(store: Bucket) -> None:
    read = open_objects("s3://museum/works/", 100)
    assert read("s3://museum/works/a/e1.jpg") == b"works/a/e1.jpg"
    with pytest.raises(InvalidImage, match=r"no object a/none\.jpg"):
        read("s3://museum/works/a/none.jpg")
    with pytest.raises(ImageTooLarge):
        open_objects("s3://museum/works/", 3)("s3://museum/works/a/e1.jpg")


def test_a_prefix_without_pictures_is_refused(store: Bucket) -> None:
    with pytest.raises(BadRequest, match="no pictures below"):
        open_prefix("s3://museum/nothing/")


def test_a_store_that_is_down_is_a_store_error(store: Bucket) -> None:
    store.down = True
    with pytest.raises(StoreError):
        open_prefix("s3://museum/works/")
