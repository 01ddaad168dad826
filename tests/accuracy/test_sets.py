"""Exams hold the works and photos that their pictures promise."""

from pathlib import Path

import pytest

from bench.accuracy.drawings import Drawings, Subject
from bench.accuracy.exam import Exam
from bench.accuracy.sets import real, simulated
from bench.artphoto.benchmark import PRESETS, VERSION, Question


class Named(Drawings):
    """Names the files and draws none."""

    def files(self, subjects: list[Subject]) -> list[Path]:  # type: ignore[override]  # a sequence of numbers
        return [self.folder / str(subject) for subject in subjects]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("museum/catalog/01", "museum/catalog/02", "covers/catalog/001", "vangogh/0001", "vangogh/0002"):
        path = tmp_path / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    rows = [
        "museum/photos/w1_0.jpg,museum,01",
        "museum/photos/w4_1.jpg,museum,02;01",
        "museum/photos/w4_2.jpg,museum,none",
    ]
    (tmp_path / "photos.csv").write_text(
        "\r\n".join(["photo,catalog,entries", *rows, "covers/photos/E63_1.jpg,covers,001"])
    )
    return tmp_path


@pytest.fixture
def museum(data: Path) -> Exam:
    return real("museum", data, "standard", Named(data), size=7)


def test_a_real_set_is_enrolled_before_the_other_folders(museum: Exam) -> None:
    names = [work.name for work in museum.works]
    assert names == ["museum/01", "museum/02", "covers/001", "vangogh/0001", "vangogh/0002"]


def test_drawn_works_fill_the_catalogue_up(museum: Exam) -> None:
    assert len(museum.distractors) == 2
    assert {work.artist for work in museum.distractors}.isdisjoint({"museum", "covers", "vangogh"})


def test_a_photo_of_two_works_is_right_with_either(museum: Exam) -> None:
    (both,) = (photo for photo in museum.photos if len(photo.works) == 2)
    assert both.works == {"museum/01", "museum/02"}
    assert both.severity == "w4"


def test_each_known_photo_is_asked_once_more_without_its_works(museum: Exam) -> None:
    kinds = sorted((photo.kind, tuple(sorted(photo.without))) for photo in museum.photos)
    assert kinds == [
        ("known", ()),
        ("known", ()),
        ("left-out", ("museum/01",)),
        ("left-out", ("museum/01", "museum/02")),
        ("none", ()),
    ]


def test_either_picture_of_one_work_is_right(data: Path) -> None:
    with (data / "photos.csv").open("a") as file:
        file.write("\r\nmuseum/photos/w1_7.jpg,museum,00219")
    photos = real("museum", data, "standard", Named(data), size=0).photos
    (shown,) = (photo for photo in photos if photo.name == "w1_7")
    assert shown.works == {"museum/00179", "museum/00219"}


def test_missing_pictures_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"holds no photos\.csv"):
        real("museum", tmp_path, "quick", Named(tmp_path), size=0)


def test_the_simulator_asks_its_preset(tmp_path: Path) -> None:
    exam = simulated("quick", Named(tmp_path), size=203)
    assert len(exam.works) == PRESETS["quick"].works
    assert len(exam.distractors) == 3
    enrolled = {work.name for work in exam.works}
    assert len({work.name for work in (*exam.works, *exam.distractors)}) == 203
    assert all(photo.works <= enrolled for photo in exam.photos)
    assert {bool(photo.works) for photo in exam.photos if photo.kind != "known"} == {False}


@pytest.mark.parametrize("processes", [1, 2])
def test_drawings_are_made_once(tmp_path: Path, processes: int) -> None:
    drawings = Drawings(tmp_path, processes)
    subjects: list[Subject] = [Question("known", 1, 0, 0), 7, 1234]
    paths = drawings.files(subjects)
    before = [path.stat().st_mtime_ns for path in paths]
    assert [path.stat().st_mtime_ns for path in drawings.files(subjects)] == before
    assert {VERSION in str(path) for path in paths} == {True}
    assert all(path.read_bytes().startswith(b"\xff\xd8") for path in paths)
