"""Claims about comparing a work with its enrolled picture all over."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from arthur.recognition.agreement import Agreement, agreement
from arthur.recognition.geometry import luma
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
    return compared(photo, work).mean


def compared(photo: Picture, work: Picture) -> Agreement:
    found = agreement(luma(photo), CORNERS, luma(work))
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


def test_what_hides_a_part_hardly_lowers_the_median(work: Picture) -> None:
    photo = seen(work)
    cv2.rectangle(photo, (60, 60), (250, 250), (90, 120, 60), -1)
    assert compared(photo, work).median > compared(seen(work), work).median - 0.05
    assert agreed(photo, work) < agreed(seen(work), work) - 0.1


def test_another_work_does_not_agree(work: Picture) -> None:
    assert agreed(seen(painting(9, 8, 7, size=512)), work) < 0.5


def test_a_reflection_is_not_held_against_it(work: Picture) -> None:
    photo = seen(work)
    cv2.ellipse(photo, (300, 250), (130, 70), 20, 0, 360, (255, 255, 255), -1)
    assert agreed(photo, work) > 0.9


def test_a_plain_margin_of_the_enrolled_picture_is_not_compared(work: Picture) -> None:
    padded = np.full((work.shape[0], work.shape[1] * 3 // 2, 3), 255, np.uint8)
    edge = (padded.shape[1] - work.shape[1]) // 2
    padded[:, edge : edge + work.shape[1]] = work
    left, right = CORNERS[[0, 3]], CORNERS[[1, 2]]
    corners = np.array([left[0], right[0], right[1], left[1]]) + 0.25 * np.array(
        [left[0] - right[0], right[0] - left[0], right[1] - left[1], left[1] - right[1]]
    )
    found = agreement(luma(seen(work)), corners.astype(np.float32), luma(padded))
    assert found is not None
    assert found.mean > 0.8


def test_a_plane_that_is_a_little_off_still_agrees(work: Picture) -> None:
    off = CORNERS + np.array([[8, 6], [-6, 8], [6, -8], [8, 6]], np.float32)
    found = agreement(luma(seen(work)), off, luma(work))
    assert found is not None
    assert found.mean > 0.9


def test_nothing_is_said_of_plain_works_or_works_out_of_view(work: Picture) -> None:
    assert agreement(luma(seen(work)), CORNERS, np.full(work.shape[:2], 90, np.uint8)) is None
    assert agreement(luma(seen(work)), CORNERS + 2000, luma(work)) is None
