"""A catalogue moves from one engine to another under load: no request fails, and no answer mixes two engines."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import tiny_graph

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

WORKS = 12
ALIKE = 0.95
"""Score above which a picture met its own vector of the same engine: of another engine it would be far off."""


@pytest.fixture
def engines(write_engine: Callable[..., Path]) -> tuple[Path, Path]:
    """Two engines of one length, so that a mixture of both would go unnoticed but for its scores."""
    return write_engine("before", graph=tiny_graph(seed=1)), write_engine("after", graph=tiny_graph(seed=2))


def arthur(*words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "arthur", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=check, timeout=600)


def enroll(url: str, work: int, picture: bytes, *, artist: str = "a") -> httpx.Response:
    path = f"{url}/api/v1/artists/{artist}/entries/{work}/views/main"
    return httpx.put(path, content=picture, headers={"content-type": "image/jpeg"}, timeout=120, verify=False)


def match(url: str, picture: bytes) -> httpx.Response:
    path = f"{url}/api/v1/match?k=1&verify=never"
    return httpx.post(path, content=picture, headers={"content-type": "image/jpeg"}, timeout=120, verify=False)


class Load:
    """Visitors and a curator, at work until told to stop."""

    def __init__(self, url: str, artworks: list[bytes]) -> None:
        self.url, self.artworks = url, artworks
        self.stop = threading.Event()
        self.answers: list[tuple[float, str, float, bool]] = []
        self.failures: list[str] = []
        self.written = 0

    def visit(self, first: int) -> None:
        work = first
        while not self.stop.is_set():
            work = (work + 1) % WORKS
            answer = match(self.url, self.artworks[work])
            if answer.status_code != 200:
                self.failures.append(answer.text)
                continue
            best = answer.json()["matches"][0]
            self.answers.append(
                (time.monotonic(), answer.json()["engine"], best["score"], best["entry_id"] == str(work))
            )

    def curate(self) -> None:
        while not self.stop.is_set():
            answer = enroll(self.url, self.written % 8, self.artworks[WORKS + self.written % 8], artist="new")
            self.written += 1
            if answer.status_code not in (200, 201):
                self.failures.append(answer.text)

    @property
    def seen(self) -> set[str]:
        return {engine.partition("@")[0] for _, engine, _, _ in self.answers}


@contextmanager
def under_load(url: str, artworks: list[bytes]) -> Iterator[Load]:
    load = Load(url, artworks)
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(load.visit, first) for first in (0, 4, 8)] + [pool.submit(load.curate)]
        try:
            yield load
        finally:
            load.stop.set()
    for one in work:
        one.result()


def wait_until(true: Callable[[], bool], timeout_s: float = 300) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def moved(load: Load, engine: str, count: int = 20) -> Callable[[], bool]:
    """Tell whether the last answers are all by that engine."""
    return lambda: {label.partition("@")[0] for _, label, _, _ in load.answers[-count:]} == {engine}


def test_a_catalogue_moves_and_goes_back_under_load(
    serve: Callable[..., object], engines: tuple[Path, Path], tmp_path: Path, artworks: list[bytes]
) -> None:
    data = tmp_path / "data"
    server = serve(data, workers=2, engine=engines[0])
    assert all(enroll(server.url, work, artworks[work]).status_code == 201 for work in range(WORKS))
    with under_load(server.url, artworks) as load:
        told = arthur("reindex", "--engine", engines[1], "--switch", "--shadow", "8", "--json", "--data", data)
        wait_until(moved(load, "after"))
        back = arthur("reindex", "--rollback", "--json", "--data", data)
        wait_until(moved(load, "before"))
    assert load.failures == []
    assert load.seen == {"before", "after"}
    assert all(right and score > ALIKE for _, _, score, right in load.answers)
    report = json.loads(told.stdout)
    assert report["switched"]
    assert "server processes have opened after@" in told.stderr
    assert 0 < report["report"]["photos"] <= 8  # a view that is replaced just then is left out
    assert report["embedded"] == report["from_thumbnails"] >= WORKS
    assert json.loads(back.stdout)["switched"]


def test_a_restarted_server_takes_the_engine_in_force_whatever_its_setting(
    serve: Callable[..., object], engines: tuple[Path, Path], tmp_path: Path, artworks: list[bytes]
) -> None:
    data = tmp_path / "data"
    server = serve(data, engine=engines[0])
    assert all(enroll(server.url, work, artworks[work]).status_code == 201 for work in range(4))
    server.stop()
    arthur("reindex", "--engine", engines[1], "--switch", "--shadow", "0", "--data", data)
    again = serve(data, engine=engines[0])
    answer = match(again.url, artworks[2]).json()
    status = httpx.get(f"{again.url}/api/v1/status", timeout=60, verify=False).json()
    assert answer["engine"].startswith("after@")
    assert (answer["matches"][0]["entry_id"], answer["matches"][0]["score"] > ALIKE) == ("2", True)
    assert status["passport"]["id"] == answer["passport"]
    assert status["passport"]["engine"] == answer["engine"]
