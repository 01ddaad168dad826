"""Claims about calibrating a catalogue, and about what looks alike in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from arthur.cli.output import match_line
from arthur.types import Match, ViewId
from tests.cli.conftest import Done

Arthur = Callable[..., Done]


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve drawn works."""
    from bench.artphoto.benchmark import catalogue_picture

    folder = tmp_path_factory.mktemp("works")
    for number in range(12):
        file = folder / f"a{number % 3}" / f"e{number}.jpg"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(catalogue_picture(number))
    return folder


@pytest.fixture
def painted(arthur: Arthur, works: Path) -> Path:
    """A catalogue of them."""
    assert arthur("import", works).status == 0
    return works


def test_a_calibration_is_kept_and_in_force_afterwards(arthur: Arthur, painted: Path, tmp_path: Path) -> None:
    plot = tmp_path / "curve.svg"
    done = arthur("calibrate", "--photos", 24, "--plot", plot, "--json")
    assert (done.status, done.json[0]["kept"], done.json[0]["known"]) == (0, True, 24)
    assert plot.read_text().startswith("<svg")
    status = arthur("status", "--json").json[0]
    assert (status["calibrated"], status["calibration_stale"]) == (True, "")


def test_a_dry_run_changes_nothing(arthur: Arthur, painted: Path) -> None:
    assert arthur("calibrate", "--photos", 24, "--dry-run").status == 0
    assert arthur("status", "--json").json[0]["calibrated"] is False


def test_a_calibration_of_another_verifier_is_stale(
    arthur: Arthur, painted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arthur("calibrate", "--photos", 24)
    monkeypatch.setenv("ARTHUR_LOCAL", "none:")
    status = arthur("status", "--json").json[0]
    assert status["calibrated"] is False
    assert "another verifier" in str(status["calibration_stale"])


def test_an_empty_catalogue_cannot_be_calibrated(arthur: Arthur) -> None:
    done = arthur("calibrate", "--photos", 20)
    assert (done.status, "no pictures to calibrate on" in done.err) == (2, True)


def test_a_work_enrolled_twice_is_listed_as_a_duplicate(arthur: Arthur, painted: Path) -> None:
    arthur("enroll", painted / "a0" / "e0.jpg", "--artist", "copy", "--entry", "again")
    (pair,) = arthur("duplicates", "--json").json
    assert {pair["newer"], pair["older"]} == {"copy.again.main", "a0.e0.main"}


def test_a_rescan_finds_the_same_again(arthur: Arthur, painted: Path) -> None:
    arthur("enroll", painted / "a0" / "e0.jpg", "--artist", "copy", "--entry", "again")
    first = arthur("duplicates", "--json").out
    assert arthur("duplicates", "--rescan", "--json").out == first
    assert arthur("confusables", "--rescan").status == 0


def test_a_row_shows_inliers_where_geometry_was_consulted() -> None:
    match = Match(ViewId("a", "e", "v"), 0.5, 0.9, {}, "match", inliers=40, coverage=0.5)
    assert match_line(match).endswith("a / e / v  (40 inliers, 50% covered)")
