"""What every verifier promises: the right work is found where it lies, no other is, and no input breaks it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from arthur.errors import BadRequest, ConfigError, StoreError
from arthur.simulation.photo import Shot, photograph
from arthur.verify import Gray, Verifier, open_verifier
from bench.artphoto.paintings import painting, work

WORKS = (1, 9, 33, 49, 65)


def gray_of(picture: NDArray[np.uint8]) -> Gray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8)


@cache
def shots(number: int, severity: int) -> tuple[Gray, Gray, Shot]:
    """Return a work, a simulated photo of it, and how it was taken."""
    art = painting(*work(number, seed=2), size=640)
    photo, shot = photograph(art, number, severity=severity)
    return gray_of(art), gray_of(photo), shot


@pytest.fixture(scope="module", params=["sift:"])
def verifier(request: pytest.FixtureRequest) -> Verifier:
    return open_verifier(request.param)


@pytest.mark.parametrize("number", WORKS)
def test_the_quad_is_where_the_work_lies(verifier: Verifier, number: int) -> None:
    art, photo, shot = shots(number, severity=2)
    (found,) = verifier.compare(verifier.look(photo), [verifier.describe(art)])
    assert found.quad is not None
    assert np.abs(found.quad - np.array(shot.corners)).max() < 25
    assert found.inliers >= 10
    assert 0 < found.coverage <= 1
    assert 0 < found.support <= 1


def test_the_homography_takes_the_corners_to_the_quad(verifier: Verifier) -> None:
    art, photo, _ = shots(9, severity=1)
    (found,) = verifier.compare(verifier.look(photo), [verifier.describe(art)])
    height, width = art.shape
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    assert found.quad is not None
    assert np.allclose(cv2.perspectiveTransform(corners, found.homography)[0], found.quad, atol=0.1)


def test_other_works_do_not_fit(verifier: Verifier) -> None:
    _, photo, _ = shots(9, severity=1)
    others = [verifier.describe(gray_of(painting(*work(number, seed=2), size=640))) for number in WORKS if number != 9]
    assert max(one.inliers for one in verifier.compare(verifier.look(photo), others)) < 10


def test_a_first_look_at_a_small_picture_finds_the_work(verifier: Verifier) -> None:
    art, photo, _ = shots(9, severity=1)
    small = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    (found,) = verifier.compare(verifier.look(small), [verifier.describe(art)])
    assert found.inliers >= 10


def test_a_work_on_its_head_is_found(verifier: Verifier) -> None:
    art = gray_of(painting(*work(33, seed=2), size=640))
    turned = np.ascontiguousarray(np.rot90(art, 2))
    (found,) = verifier.compare(verifier.look(turned), [verifier.describe(art)])
    height, width = art.shape
    assert found.quad is not None
    assert np.allclose(found.quad[0], (width, height), atol=5)


def test_a_mirrored_work_is_not_that_work(verifier: Verifier) -> None:
    art = gray_of(painting(*work(33, seed=2), size=640))
    mirrored = np.ascontiguousarray(art[:, ::-1])
    (found,) = verifier.compare(verifier.look(mirrored), [verifier.describe(art)])
    assert found.inliers < 10


@pytest.mark.parametrize("shape", [(1, 1), (15, 300), (16, 16), (480, 640)])
def test_a_blank_picture_has_no_features(verifier: Verifier, shape: tuple[int, int]) -> None:
    blank = np.full(shape, 128, np.uint8)
    look, features = verifier.look(blank), verifier.describe(blank)
    (found,) = verifier.compare(look, [features])
    assert len(look.query.points) == 0
    assert (found.inliers, found.quad) == (0, None)


@pytest.mark.parametrize(
    "gray",
    [
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((9, 9), np.float32),
        np.zeros((0, 9), np.uint8),
        np.zeros((9, 1025), np.uint8),
    ],
)
def test_what_is_no_gray_picture_is_refused(verifier: Verifier, gray: Gray) -> None:
    with pytest.raises(BadRequest):
        verifier.look(gray)
    with pytest.raises(BadRequest):
        verifier.describe(gray)


def test_features_fit_into_their_place(verifier: Verifier) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (640, 640)).astype(np.uint8)
    assert len(verifier.describe(noise)) <= 12_000


def test_the_same_picture_gives_the_same_bytes(verifier: Verifier) -> None:
    art, _, _ = shots(49, severity=1)
    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(verifier.describe, [art] * 4))) == 1
    assert open_verifier("sift:").describe(art) == verifier.describe(art)


def test_the_same_comparison_gives_the_same_answer(verifier: Verifier) -> None:
    art, photo, _ = shots(49, severity=2)
    look, features = verifier.look(photo), verifier.describe(art)
    first, second = verifier.compare(look, [features, features])
    assert first.inliers == second.inliers
    assert first.homography is not None
    assert second.homography is not None
    assert (first.homography == second.homography).all()


def test_a_stored_work_votes_by_the_words_of_its_photo(verifier: Verifier) -> None:
    art, _, _ = shots(49, severity=1)
    query = verifier.look(art).query
    assert query.words.shape == query.signatures.shape
    assert (query.words.dtype, query.signatures.dtype) == (np.uint16, np.uint64)


@pytest.mark.parametrize("damage", [b"", b"ALF1", b"x" * 12_000])
def test_damaged_features_are_an_error_of_ours(verifier: Verifier, damage: bytes) -> None:
    look = verifier.look(np.zeros((50, 50), np.uint8))
    with pytest.raises(StoreError):
        verifier.compare(look, [damage])


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize("byte", [0, 255])
def test_features_with_a_column_overwritten_are_compared(verifier: Verifier, column: int, byte: int) -> None:
    art, photo, _ = shots(49, severity=1)
    features = bytearray(verifier.describe(art))
    count = (len(features) - 16) // 48
    widths = (2, 2, 1, 1, 2, 8)
    start, width = 16 + count * sum(widths[:column]), count * widths[column]
    features[start : start + width] = bytes([byte]) * width
    (found,) = verifier.compare(verifier.look(photo), [bytes(features)])
    assert found.inliers >= 0
    assert found.quad is None or np.isfinite(found.quad).all()


@pytest.mark.parametrize("seed", range(10))
def test_features_of_random_bytes_prove_nothing(verifier: Verifier, seed: int) -> None:
    art, photo, _ = shots(49, severity=1)
    features = verifier.describe(art)
    random = np.random.default_rng(seed).integers(0, 256, len(features) - 16).astype(np.uint8)
    (found,) = verifier.compare(verifier.look(photo), [features[:16] + random.tobytes()])
    assert found.inliers < 10


def test_an_unknown_verifier_is_refused() -> None:
    with pytest.raises(ConfigError):
        open_verifier("magic:")
