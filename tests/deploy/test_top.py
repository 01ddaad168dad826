"""Claims of `arthur top`: what it tells is what happened between two looks."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from arthur.cli import run
from arthur.cli.glance import Reading, glance
from arthur.errors import FetchError
from arthur.types import Recognition
from arthur.web.metrics import Answered, Metrics
from tests.conftest import Server, free_port

SECONDS = [0.02] * 90 + [0.2] * 10


def reading(metrics: Metrics, at: float) -> Reading:
    return Reading(metrics.exposition()[0].decode(), at)


@contextmanager
def matching(server: Server, picture: bytes) -> Iterator[None]:
    """Ask the server for one picture after the other."""
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=server.url, timeout=60, headers={"content-type": "image/jpeg"}) as client:
            while not done.is_set():
                client.post("/api/v1/match", content=picture)

    asking = threading.Thread(target=ask)
    asking.start()
    yield
    done.set()
    asking.join()


def test_rates_and_times_are_those_between_two_looks() -> None:
    metrics = Metrics()
    metrics.answered(Answered("/api/v1/match", "POST", 200, 9.0))
    before = reading(metrics, 100)
    for seconds in SECONDS:
        metrics.answered(Answered("/api/v1/match", "POST", 200, seconds))
    metrics.answered(Answered("", "GET", 429, 0.001, problem="rate_limited"))
    seen = glance(before, reading(metrics, 110))
    assert (seen.requests, seen.statuses, seen.problems) == (10.1, {"200": 10.0, "429": 0.1}, {"rate_limited": 0.1})
    assert (seen.match.per_s, seen.match.mean_ms) == (10.0, pytest.approx(38))
    assert 10 < seen.match.p50_ms < 25 < 100 < seen.match.p95_ms < 250


def test_a_server_that_began_anew_counts_from_nothing() -> None:
    old, new = Metrics(), Metrics()
    for _ in range(9):
        old.answered(Answered("/", "GET", 200, 0.1))
    new.answered(Answered("/", "GET", 200, 0.1))
    assert glance(reading(old, 0), reading(new, 1)).requests == 1


def test_where_nothing_happened_no_time_is_told() -> None:
    metrics = Metrics()
    metrics.recognized(Recognition("match", 1.0, (), (), "a@b", 1, False, (), {"decode": 3.0}), "id")
    seen = glance(reading(metrics, 0), reading(metrics, 1))
    assert (seen.stages["decode"].per_s, seen.stages["decode"].mean_ms, seen.match.p95_ms) == (0, None, None)


@pytest.mark.parametrize("text", ["<html>", "up 1\n"])
def test_numbers_of_something_else_are_refused(text: str) -> None:
    with pytest.raises(FetchError):
        Reading(text, 0)


def test_a_look_at_a_running_server(live: Server, artworks: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    with matching(live, artworks[0]):
        assert run(["top", "--server", live.url, "--once", "--every", "1", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["decisions"]["match"] > 0
    assert (seen["workers"], seen["catalog"]["views"], seen["behind"]) == (2, 2, {"index": 0, "local_index": 0})


def test_people_get_tables(live: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["top", "--server", live.url, "--once", "--every", "0.1"]) == 0
    shown = capsys.readouterr().out
    assert all(
        word in shown for word in ("arthur-mini@", "web processes", "places taken", "2 views, sequence", "95 % ms")
    )


def test_a_server_that_does_not_answer_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["top", "--server", f"http://127.0.0.1:{free_port()}", "--once"]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_the_live_view_goes_on_when_the_server_is_away() -> None:
    command = [sys.executable, "-m", "arthur", "top", "--every", "0.1", "--json"]
    with subprocess.Popen(
        [*command, "--server", f"http://127.0.0.1:{free_port()}"], stdout=subprocess.PIPE, text=True
    ) as process:
        told = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.terminate()
    assert all("does not answer" in one["error"] for one in told)
