"""`arthur report`."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from arthur.catalog import open_catalog
from arthur.types import LoggedMatch


@pytest.fixture
def logged(tmp_path: Path) -> None:
    """Two answers in the match log, one of them a month old."""
    (tmp_path / "data").mkdir()
    now_us = time.time_ns() // 1000
    with closing(open_catalog(f"sqlite:///{tmp_path}/data/catalog.db")) as catalog:
        for at_us in (now_us, now_us - 31 * 86_400_000_000):
            catalog.match_log.put([LoggedMatch(at_us, "photo", "no_match", None, None, 0.1, 25.0, "engine")])


def test_a_report_tells_of_its_days(arthur: Any, logged: None) -> None:
    assert arthur("report").out.startswith("1 answers: match 0.0%, unsure 0.0%, no_match 100.0%\nlatency: p50 25 ms")
    assert arthur("report", "--days", "40", "--json").json[0]["answers"] == 2


def test_a_report_without_a_log_says_so(arthur: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert arthur("report").out == "no answers are logged\n"


def test_a_report_writes_a_file(arthur: Any, logged: None, tmp_path: Path) -> None:
    assert arthur("report", "--file", "days.parquet").status == 0
    assert pl.read_parquet(tmp_path / "days.parquet")["no_match"].to_list() == [1]


def test_a_file_of_another_kind_is_refused(arthur: Any, logged: None) -> None:
    assert arthur("report", "--file", "days.xls").status == 2
    assert arthur("report", "--file", "none/days.csv").status == 2
