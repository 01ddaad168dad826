"""The benchmark asks the same questions everywhere, in the shares that it promises."""

from collections import Counter

import cv2
import numpy as np
import pytest

from bench.artphoto.benchmark import (
    PRESETS,
    VERSION,
    Question,
    artist,
    catalogue_picture,
    photo,
    picture_of,
    questions,
    version,
)
from bench.artphoto.scenes import scene


def test_the_committed_version_is_the_recomputed_one() -> None:
    assert version() == VERSION


def test_the_official_size_is_ten_thousand_works_and_six_thousand_photos() -> None:
    asked = Counter((question.kind == "known", question.severity) for question in questions(PRESETS["official"]))
    assert PRESETS["official"].works == 10_000
    assert asked == {(known, severity): 1000 if known else 500 for known in (True, False) for severity in (1, 2, 3, 4)}


@pytest.mark.parametrize("preset", PRESETS)
def test_each_open_set_kind_has_its_share_at_each_severity(preset: str) -> None:
    unknown = [question for question in questions(PRESETS[preset]) if question.kind != "known"]
    share = len(unknown) // 40
    expected = {"artist": 4 * share, "unknown": 3 * share, "series": 2 * share, "nothing": share}
    for severity in (1, 2, 3, 4):
        assert Counter(question.kind for question in unknown if question.severity == severity) == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_every_question_has_its_own_name_and_an_enrolled_work(preset: str) -> None:
    asked = questions(PRESETS[preset])
    assert len({question.name for question in asked}) == len(asked)
    assert max(question.work for question in asked) < PRESETS[preset].works


def test_no_work_is_asked_twice_at_one_severity() -> None:
    asked = [question for question in questions(PRESETS["large"]) if question.kind == "known"]
    assert len({(question.severity, question.work) for question in asked}) == len(asked)


def test_files_are_jpeg_pictures_of_the_promised_size() -> None:
    work, shown = (_decoded(file) for file in (catalogue_picture(3), photo(Question("known", 1, 0, 3))))
    assert max(work.shape) == 512
    assert sorted(shown.shape) == [3, 480, 640]


def test_a_catalogue_of_a_million_leaves_the_unknown_artists_unknown() -> None:
    assert artist(1_000_000) - artist(0) < 500_000


@pytest.mark.parametrize("kind", ["artist", "series", "unknown", "nothing"])
def test_each_kind_shows_something_else_than_the_work(kind: str) -> None:
    shown, known = (picture_of(Question(each, 1, 0, 5)) for each in (kind, "known"))  # type: ignore[arg-type]  # parametrised
    assert shown.shape != known.shape or np.abs(shown.astype(int) - known).mean() > 3


def test_drawing_leaves_opencv_as_it_was() -> None:
    catalogue_picture(0)
    assert cv2.useOptimized()


def test_scenes_differ_and_repeat() -> None:
    drawn = [scene(seed) for seed in range(4)]
    assert all(sorted(picture.shape) == [3, 480, 640] for picture in drawn)
    assert len({picture.tobytes() for picture in drawn}) == 4
    assert np.array_equal(scene(2), drawn[2])


def _decoded(file: bytes) -> np.ndarray:
    decoded = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded
