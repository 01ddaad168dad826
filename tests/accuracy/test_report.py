"""The report says what the rows say, and says it the same way each time."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from bench.accuracy import report
from bench.accuracy.exam import Exam
from bench.accuracy.figures import Outcomes
from bench.accuracy.metrics import Counted
from bench.accuracy.run import Entrant, run


@pytest.fixture(scope="module")
def rows(exam: Exam, rote: type) -> pl.DataFrame:
    entrants = [Entrant("first", rote()), Entrant("second", rote(), budget_s=1e-9)]
    found = list(run(exam, entrants[:1], sizes=(4, 6), seed=0, say=lambda _: None))
    found += [row | {"system": "second"} for row in found[:5]]
    return pl.DataFrame(found).with_columns(commit=pl.lit("abc"), seed=pl.lit(0))


@pytest.fixture(scope="module")
def written(rows: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write(rows, tmp_path_factory.mktemp("report"))


def test_outcomes_are_taken_from_the_rows(rows: pl.DataFrame) -> None:
    seen = Outcomes.of(rows.filter((pl.col("system") == "first") & (pl.col("size") == 4)))
    assert seen.recall_at(1) == 1
    assert seen.average_precision() == 1
    assert seen.false_accepts() == Counted(0, 3)
    assert seen.wrong_accepts() == Counted(0, 4)
    assert seen.dismissed_unknown() == 1


def test_photos_of_one_work_share_a_cluster(rows: pl.DataFrame) -> None:
    seen = Outcomes.of(rows.filter((pl.col("system") == "first") & (pl.col("size") == 4)))
    assert len(set(seen.cluster.tolist())) == 5


def test_a_system_without_probabilities_has_no_reliability(rows: pl.DataFrame) -> None:
    silent = rows.with_columns(probability=pl.lit(None, pl.Float64))
    assert Outcomes.of(silent).reliability() is None
    assert Outcomes.of(rows).reliability() is not None


def test_the_report_names_systems_sizes_and_provenance(written: Path) -> None:
    text = written.read_text()
    for part in (
        "## rote",
        "### 4 works",
        "### 6 works",
        "| first | 7 | 1.000",
        "provenance by hand; commit abc",
        "as the catalogue grows",
    ):
        assert part in text


def test_the_report_compares_what_all_systems_answered(written: Path) -> None:
    text = written.read_text()
    assert "(first 7, second 5)" in text
    assert "On the 5 photos that all of them answered:" in text
    assert "| first | 5 |" in text


def test_every_plot_in_the_report_is_there(written: Path) -> None:
    text = written.read_text()
    named = {part.split(")")[0] for part in text.split("](")[1:]}
    assert named == {path.name for path in written.parent.glob("*.svg")}
    assert len(named) == 3


def test_the_same_rows_give_the_same_files(rows: pl.DataFrame, written: Path, tmp_path: Path) -> None:
    report.write(rows, tmp_path)
    for path in written.parent.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
