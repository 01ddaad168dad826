"""Claims about comparing a work with its enrolled picture all over."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from arthur.recognition.agreement import agreement
from arthur.simulation.fields import Picture
from bench.artphoto.paintings import painting

CORNERS = np.array([[60, 40], [560, 80], [540, 420], [40, 440]], np.float32)


@pytest.fixture(scope="module")
def work() -> Picture:
    return painting(1, 2, 3, size=512)


def seen(work: Picture) -> Picture:
    """The work on a wall, as seen from the side."""
    height, width = work.shape[:2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    to_photo = cv2.getPerspectiveTransform(flat, CORNERS)
    wall = np.full((480, 640, 3), 180, np.uint8)
    photo = cv2.warpPerspective(work, to_photo, (640, 480), dst=wall, borderMode=cv2.BORDER_TRANSPARENT)
    return photo.astype(np.uint8)


def agreed(photo: Picture, work: Picture) -> float:
    found = agreement(photo, CORNERS, work)
    assert found is not None
    return found


def test_the_same_work_agrees(work: Picture) -> None:
    assert agreed(seen(work), work) > 0.95


def test_light_and_contrast_count_little(work: Picture) -> None:
    dim = (seen(work) * 0.5 + 30).astype(np.uint8)
    assert agreed(dim, work) > 0.95


def test_a_part_that_differs_lowers_it(work: Picture) -> None:
    other = work.copy()
    height, width = work.shape[:2]
    other[: height // 2, : width // 2] = np.rot90(other[: height // 2, : width // 2], 2)
    assert agreed(seen(other), work) < agreed(seen(work), work) - 0.1


def test_another_work_does_not_agree(work: Picture) -> None:
    assert agreed(seen(painting(9, 8, 7, size=512)), work) < 0.5


def test_nothing_is_said_of_plain_works_or_works_out_of_view(work: Picture) -> None:
    assert agreement(seen(work), CORNERS, np.full_like(work, 90)) is None
    assert agreement(seen(work), CORNERS + 2000, work) is None
