"""How far jobs and rebuilds are, told to every server."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arthur.catalog import open_catalog
from arthur.recognizer import Progress
from arthur.types import Lease, Listing, NewJob, Settlement
from arthur.web.answers import ProgressOut
from arthur.web.progress import Board

S = 10**6


@pytest.fixture
def catalog(tmp_path: Path) -> Any:
    with closing(open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}")) as opened:
        yield opened


@pytest.fixture
def job(catalog: Any) -> Any:
    """A job of two groups with one item each, of which one is done at its tenth second."""
    put, _ = catalog.jobs.put(NewJob("import", {}, listing=Listing((({},), ({},)))), now_us=0)
    task = catalog.queue.take(Lease("w", 0, 30 * S), ("",))
    catalog.queue.settle(task, Settlement(imported=1), now_us=10 * S)
    return put


def test_a_job_is_told_while_it_runs_with_its_rate_and_what_is_left(catalog: Any, job: Any) -> None:
    told = ProgressOut.model_validate(Board(catalog).newest())
    assert (told.state, told.stage, told.done, told.total, told.at) == ("running", "import", 1, 2, 10.0)
    assert told.job is not None
    assert (told.job.job_id, told.job.rate, told.job.eta_s) == (job.job_id, 0.1, 10.0)


@pytest.mark.parametrize(("wish", "state"), [("pause", "done"), ("cancel", "done"), ("resume", "running")])
def test_a_job_that_rests_is_told_in_words_that_old_pages_know(catalog: Any, job: Any, wish: Any, state: str) -> None:
    catalog.jobs.change(job.job_id, wish, now_us=11 * S)
    assert Board(catalog).newest()["state"] == state


def test_the_newer_word_is_told_and_a_job_is_no_rebuild(catalog: Any, job: Any) -> None:
    Board(catalog, clock=lambda: 1.0).write("done", Progress("done", 9, 9))
    board = Board(catalog, clock=lambda: 13.0)
    assert board.newest()["stage"] == "import"
    assert (board.read()["done"], board.running()) == (9, False)
    board.write("running", Progress("index", 1, 9))
    assert set(board.newest()) == {"state", "stage", "done", "total", "at"}
