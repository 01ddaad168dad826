"""Claims about works that look alike."""

import io
from typing import Any

import numpy as np
from PIL import Image

from arthur.recognizer import Enrolment
from arthur.types import ViewId


def pairs(house: Any) -> Any:
    return {(one.kind, one.key, one.other) for one in house.catalog.alike}


def test_the_same_picture_in_two_entries_is_a_duplicate(close_house: Any) -> None:
    for name, seed in (("a/e1/main", 1), ("a/e2/main", 2), ("b/e3/main", 1)):
        close_house.enroll(name, seed)
    assert pairs(close_house) == {("duplicate", 3, 1)}


def test_pictures_of_one_batch_are_compared_with_one_another(close_house: Any, picture: Any) -> None:
    twins = [Enrolment(ViewId("a", entry, "main"), picture(1)) for entry in ("e1", "e2")]
    close_house.recognizer.enroll_many(twins)
    assert pairs(close_house) == {("duplicate", 1, 2), ("duplicate", 2, 1)}


def test_views_of_one_entry_may_be_alike(close_house: Any) -> None:
    close_house.enroll("a/e1/front", 1)
    close_house.enroll("a/e1/copy", 1)
    assert pairs(close_house) == set()


def test_unlike_works_are_not_noted(close_house: Any) -> None:
    for seed in range(5):
        close_house.enroll(f"a/e{seed}/main", seed)
    assert pairs(close_house) == set()


def test_what_geometry_confirms_but_the_vectors_tell_apart_is_confusable(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    tinted = tint(picture(1))
    close_house.recognizer.enroll(Enrolment(ViewId("a", "e2", "main"), tinted))
    assert pairs(close_house) == {("confusable", 2, 1)}


def test_a_failed_comparison_does_not_fail_the_upload(close_house: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    close_house.local.index.broken = True
    assert close_house.enroll("a/e2/main", 1).created
    assert pairs(close_house) == set()


def test_a_rescan_finds_what_enrolling_did_not(close_house: Any) -> None:
    close_house.local.index.broken = True
    close_house.enroll("a/e1/main", 1)
    close_house.enroll("a/e2/main", 1)
    close_house.local.index.broken = False
    seen: list[Any] = []
    assert close_house.recognizer.find_likenesses(seen.append) == 2
    assert (seen[-1].done, seen[-1].total) == (2, 2)


def test_without_a_verifier_the_vectors_decide(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("a/e2/main", 1)
    assert pairs(house) == {("duplicate", 2, 1)}


def tint(data: bytes) -> bytes:
    """Return a PNG of the same luma and other colours."""
    luma = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    tinted = np.stack([luma, luma, luma], axis=2)
    encoded = io.BytesIO()
    Image.fromarray(tinted).save(encoded, "PNG")
    return encoded.getvalue()
