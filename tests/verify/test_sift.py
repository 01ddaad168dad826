"""Keypoints are those of OpenCV, whose conventions the vocabulary was learned with; any picture has some, or none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from arthur.verify.sift import detect
from bench.artphoto.paintings import painting, work
from bench.sift import detected_by_opencv, likeness

COUNT = 500


def picture(number: int, *, size: int) -> NDArray[np.uint8]:
    art = painting(*work(number, seed=2), size=size)
    return cv2.cvtColor(art, cv2.COLOR_RGB2GRAY).astype(np.uint8)


@pytest.mark.parametrize("number", [1, 9, 33, 49, 65])
@pytest.mark.parametrize("size", [160, 320, 480])
def test_keypoints_and_histograms_are_those_of_opencv(number: int, size: int) -> None:
    gray = picture(number, size=size)
    cosines = likeness(detected_by_opencv(gray, COUNT), detect(gray, COUNT))
    assert np.mean(cosines > -1) > 0.975
    assert np.mean(cosines[cosines > -1]) > 0.997


def test_fewer_keypoints_are_the_strongest_of_more() -> None:
    gray = picture(9, size=320)
    few, more = detect(gray, 50), detect(gray, COUNT)
    assert (len(few), len(more)) == (50, COUNT)
    assert (few.points == more.points[:50]).all()
    assert (few.patches == more.patches[:50]).all()


def test_keypoints_kept_lie_all_over_the_picture() -> None:
    gray = picture(9, size=320)
    gray[:, 40:] = gray[:, 40:] // 8 + 100
    all_over, strongest = detect(gray, COUNT, kept=50), detect(gray, 50)
    assert len(all_over) == 50
    assert np.std(all_over.points[:, 0]) > 1.5 * np.std(strongest.points[:, 0])


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (9, 0), (1, 1), (1, 1024), (5, 300), (6, 6), (1024, 1024)])
@pytest.mark.parametrize("colour", [0, 255])
def test_a_flat_picture_of_any_size_has_no_keypoints(shape: tuple[int, int], colour: int) -> None:
    assert len(detect(np.full(shape, colour, np.uint8), COUNT)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (17, 6), (255, 1), (1024, 1024)])
def test_noise_has_keypoints_within_the_picture(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).choice(np.array([0, 255], np.uint8), shape)
    found = detect(noise, COUNT)
    assert len(found) <= COUNT
    assert ((found.points >= 0) & (found.points < (shape[1], shape[0]))).all()
    assert np.isfinite(found.scales).all()
    assert ((found.angles >= 0) & (found.angles < 2 * np.pi)).all()


def test_rows_may_lie_apart_in_memory() -> None:
    gray = picture(9, size=320)
    turned = detect(np.rot90(gray), COUNT)
    assert (turned.patches == detect(np.ascontiguousarray(np.rot90(gray)), COUNT).patches).all()


def test_threads_find_the_same() -> None:
    gray = picture(33, size=320)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detect, [gray] * 8, [COUNT] * 8))
    assert len({one.patches.tobytes() for one in found}) == 1
