from typing import Any

import pytest

from arthur.errors import BadRequest, InvalidImage, NotFound, StoreError
from arthur.pictures import original_name, thumbnail_name
from arthur.recognizer import Enrolment
from arthur.types import Query, ViewId


def test_enroll_says_whether_the_view_is_new(house: Any) -> None:
    assert house.enroll("a/e1/main", 1).created
    assert not house.enroll("a/e1/main", 2).created


def test_the_same_content_again_is_a_new_version(house: Any) -> None:
    first, second = house.enroll("a/e1/main", 1), house.enroll("a/e1/main", 1)
    assert second.stored.key > first.stored.key


def test_facts_of_the_picture_are_stored(house: Any, picture: Any) -> None:
    stored = house.enroll("a/e1/main", 1, source="shelf").stored
    assert (stored.format, stored.width, stored.height, stored.source) == ("png", 32, 32, "shelf")
    assert stored.size_bytes == len(picture(1))


def test_bytes_that_are_no_picture_are_not_enrolled(house: Any) -> None:
    with pytest.raises(InvalidImage):
        house.recognizer.enroll(Enrolment(ViewId("a", "e", "v"), b"no picture"))
    assert house.catalog.latest() == 0


def test_one_bad_picture_among_many_fails_alone(house: Any, picture: Any) -> None:
    given = [Enrolment(ViewId("a", f"e{n}", "v"), b"bad" if n == 5 else picture(n)) for n in range(10)]
    outcomes = house.recognizer.enroll_many(given)
    assert isinstance(outcomes[5], InvalidImage)
    assert [put.stored.view.entry_id for n, put in enumerate(outcomes) if n != 5] == [
        f"e{n}" for n in range(10) if n != 5
    ]


def test_many_pictures_are_embedded_as_their_own(house: Any, picture: Any) -> None:
    house.recognizer.enroll_many([Enrolment(ViewId("a", f"e{n}", "v"), picture(n)) for n in range(10)])
    assert [house.entries(n, Query(k=1)) for n in range(10)] == [[f"e{n}"] for n in range(10)]


def test_only_bad_pictures_write_nothing(house: Any) -> None:
    outcomes = house.recognizer.enroll_many([Enrolment(ViewId("a", "e", "v"), b"bad")] * 2)
    assert [type(outcome) for outcome in outcomes] == [InvalidImage, InvalidImage]
    assert house.catalog.latest() == 0


def test_a_catalog_that_cannot_write_is_an_error(house: Any) -> None:
    house.catalog.broken = True
    with pytest.raises(StoreError):
        house.enroll("a/e1/main", 1)


def test_an_index_that_fails_does_not_undo_the_write(house: Any) -> None:
    house.index.broken = True
    house.enroll("a/e1/main", 1)
    house.index.broken = False
    assert house.entries(1) == ["e1"]


def test_pictures_are_kept_under_the_key(house: Any, picture: Any) -> None:
    stored = house.enroll("a/e1/main", 1).stored
    assert house.blobs.read(original_name(stored)) == picture(1)
    assert house.blobs.read(thumbnail_name(stored)).startswith(b"\xff\xd8")


def test_a_new_version_replaces_the_pictures(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    stored = house.enroll("a/e1/main", 2).stored
    assert set(house.blobs.kept) == {original_name(stored), thumbnail_name(stored)}


def test_a_blob_store_that_fails_does_not_undo_the_write(house: Any) -> None:
    house.blobs.broken = True
    house.enroll("a/e1/main", 1)
    assert house.entries(1) == ["e1"]
    assert house.recognizer.status()["picture_failures"] == 2


def test_forgetting_an_entry_removes_its_views_and_pictures(house: Any) -> None:
    house.enroll("a/e1/v1", 1)
    house.enroll("a/e1/v2", 2)
    house.enroll("a/e2/v1", 3)
    assert house.recognizer.forget("a", "e1") == 2
    assert house.entries(1) == ["e2"]
    assert len(house.blobs.kept) == 2


def test_forgetting_a_view_leaves_its_neighbours(house: Any) -> None:
    house.enroll("a/e1/v1", 1)
    house.enroll("a/e1/v2", 2)
    assert house.recognizer.forget("a", "e1", "v1") == 1
    assert len(house.index) == 1


def test_forgetting_what_is_not_there_forgets_nothing(house: Any) -> None:
    assert house.recognizer.forget("nobody") == 0


def test_a_view_without_its_entry_is_no_name(house: Any) -> None:
    with pytest.raises(BadRequest):
        house.recognizer.forget("a", None, "v1")


def test_similar_leaves_the_own_entry_out(house: Any) -> None:
    house.enroll("a/e1/v1", 1)
    house.enroll("a/e1/v2", 1)
    house.enroll("a/e2/v1", 2)
    found = house.recognizer.similar(ViewId("a", "e1", "v1"))
    assert [match.view.entry_id for match in found] == ["e2"]


def test_similar_to_an_unknown_view_is_not_found(house: Any) -> None:
    with pytest.raises(NotFound):
        house.recognizer.similar(ViewId("a", "e1", "v1"))


def test_similar_obeys_its_filters(house: Any) -> None:
    house.enroll("a/e1/v1", 1)
    house.enroll("a/e2/v1", 2)
    house.enroll("b/e3/v1", 3)
    found = house.recognizer.similar(ViewId("a", "e1", "v1"), artist_ids=("b",), k=1, min_score=-1)
    assert [match.view.entry_id for match in found] == ["e3"]
