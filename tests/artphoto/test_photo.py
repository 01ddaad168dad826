"""Photos are a pure function of the work, the seed, the severity and the clutter."""

import cv2
import numpy as np
import pytest

from arthur.simulation.fields import Picture
from arthur.simulation.photo import photograph
from bench.artphoto.paintings import painting


@pytest.fixture(scope="module")
def art() -> Picture:
    return painting(7, 1, 0, size=256)


@pytest.fixture(scope="module")
def clutter() -> list[Picture]:
    return [painting(50 + number, 0, 0, size=160) for number in range(4)]


@pytest.mark.parametrize("severity", [1, 2, 3, 4])
def test_a_photo_is_rgb_with_a_long_side_of_640(art: Picture, clutter: list[Picture], severity: int) -> None:
    photo, shot = photograph(art, 5, severity=severity, clutter=clutter)
    assert photo.dtype == np.uint8
    assert sorted(photo.shape) == [3, 480, 640]
    assert shot.severity == severity
    assert len(shot.corners) == 4


def test_the_same_arguments_give_the_same_photo(art: Picture, clutter: list[Picture]) -> None:
    (photo, shot), (again, same) = (photograph(art, 9, severity=3, clutter=clutter) for _ in range(2))
    assert np.array_equal(photo, again)
    assert shot == same


def test_the_seed_and_the_severity_change_the_photo(art: Picture) -> None:
    photo, _ = photograph(art, 1, severity=2)
    for seed, severity in ((2, 2), (1, 3)):
        other, _ = photograph(art, seed, severity=severity)
        assert photo.shape != other.shape or not np.array_equal(photo, other)


@pytest.mark.parametrize("severity", [0, 5])
def test_an_unknown_severity_is_refused(art: Picture, severity: int) -> None:
    with pytest.raises(ValueError, match="severity is 1, 2, 3 or 4"):
        photograph(art, 1, severity=severity)


@pytest.mark.parametrize("seed", [2, 3, 5, 8])
def test_the_corners_show_where_the_work_is(art: Picture, seed: int) -> None:
    photo, shot = photograph(art, seed, severity=1)
    height, width = art.shape[:2]
    origin = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.array(shot.corners, np.float32), origin)
    found = cv2.warpPerspective(photo, matrix, (width, height))
    middle = np.s_[height // 4 : -height // 4, width // 4 : -width // 4]
    likeness = np.corrcoef(_soft(found)[middle].ravel(), _soft(art)[middle].ravel())[0, 1]
    assert likeness > 0.7


def test_quarter_turns_turn_the_corners_too(art: Picture) -> None:
    turned = next(seed for seed in range(100) if photograph(art, seed, severity=4)[1].quarter_turns == 2)
    _, shot = photograph(art, turned, severity=4)
    (left, top), (right, bottom) = shot.corners[0], shot.corners[2]
    assert left > right or top > bottom


def _soft(picture: Picture) -> np.ndarray:
    return cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 3).astype(np.float32)
