"""Claims about what is said of what was seen."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from arthur.decision import Signs
from arthur.recognition.cascade import STEPS, Photo
from arthur.recognition.coach import BLURRED, CLOSER, DARK, GLARE, PLAIN, advice
from arthur.recognition.conclusion import BELOW_MIN_SCORE, SEVERAL_WORKS, UNKNOWN_ARTISTS, Frame, Seen, conclude
from arthur.recognition.searcher import Found
from arthur.recognition.sighting import Sighting
from arthur.types import Query, Recognition, StoredView, ViewId
from tests.models import CALIBRATION

CLEAR = Signs(0.9, inliers=90, coverage=0.8, support=0.8)
FAINT = Signs(0.4, inliers=3, coverage=0.02)


def stored(name: str) -> StoredView:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return StoredView(1, ViewId("a", name, "main"), "id", "hash", "", "jpeg", 9, 9, 9, {}, now, now)


def square(left: float, size: float = 100) -> NDArray[np.float32]:
    return np.array([[left, 0], [left + size, 0], [left + size, size], [left, size]], np.float32)


def photo(preview: NDArray[np.uint8] | None = None) -> Frame:
    return Frame(Photo(np.zeros((1, 2), np.float32), preview), scale=2.0)


def concluded(*sightings: Sighting, query: Query | None = None, found: Found | None = None) -> Recognition:
    seen = Seen([found or Found([], 7)], list(sightings), skipped=STEPS[2:])
    return conclude(seen, [photo()], CALIBRATION, query or Query(), 0.01)


def test_works_side_by_side_are_each_a_match() -> None:
    answer = concluded(Sighting(stored("one"), CLEAR, square(0)), Sighting(stored("two"), CLEAR, square(110)))
    assert [match.decision for match in answer.matches] == ["match", "match"]
    assert answer.reasons[0] == SEVERAL_WORKS
    assert min(match.probability for match in answer.matches) > 0.99


def test_works_in_the_same_place_are_rivals() -> None:
    answer = concluded(Sighting(stored("one"), CLEAR, square(0)), Sighting(stored("two"), CLEAR, square(5)))
    assert answer.matches[1].decision != "match"
    assert SEVERAL_WORKS not in answer.reasons


def test_quads_are_in_pixels_of_the_photo() -> None:
    answer = concluded(Sighting(stored("one"), CLEAR, square(10)))
    assert answer.matches[0].quad == ((20, 0), (220, 0), (220, 200), (20, 200))


def test_an_entry_below_the_floor_is_no_match() -> None:
    answer = concluded(Sighting(stored("one"), CLEAR, square(0)), query=Query(min_score=0.95))
    assert (answer.decision, answer.matches, answer.reasons) == ("no_match", (), (BELOW_MIN_SCORE,))


def test_unknown_artists_are_said_so() -> None:
    answer = concluded(found=Found([], 7, known=False))
    assert (answer.decision, answer.reasons) == ("no_match", (UNKNOWN_ARTISTS,))


def test_what_was_skipped_and_degraded_is_passed_on() -> None:
    answer = concluded(Sighting(stored("one"), FAINT), found=Found([], 9, degraded=True))
    assert (answer.skipped, answer.degraded, answer.catalog_seq) == (STEPS[2:], True, 9)


def picture(mean: float, deviation: float = 60, *, blur: int = 1) -> NDArray[np.uint8]:
    rough = np.random.default_rng(1).normal(mean, deviation, (240 // blur, 320 // blur))
    return np.repeat(np.kron(rough, np.ones((blur, blur)))[..., None].clip(0, 255), 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("preview", "reason"),
    [(picture(5, 14), DARK), (picture(250, 60), GLARE), (picture(128, 2), PLAIN)],
    ids=["dark", "glare", "plain"],
)
def test_the_photographer_is_told_what_is_wrong_with_the_light(preview: NDArray[np.uint8], reason: str) -> None:
    assert advice(preview, None)[0] == reason


def test_a_blurred_photo_is_called_blurred() -> None:
    ramp = np.linspace(0, 255, 320)
    smooth = np.repeat(np.tile(ramp, (240, 1))[..., None], 3, axis=2).astype(np.uint8)
    assert advice(smooth, None) == [BLURRED]


def test_a_work_far_away_asks_for_a_step_closer() -> None:
    far = Sighting(stored("one"), FAINT, square(0, size=20))
    assert advice(picture(128), far) == [CLOSER]


def test_a_good_photo_needs_no_advice() -> None:
    assert advice(picture(128), Sighting(stored("one"), FAINT, square(0, size=200))) == []
    assert advice(None, None) == []
