"""An answered write survives `kill -9` the next instant."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from arthur.catalog import open_catalog

WRITER = Path(__file__).with_name("catalog_writer.py")
DIM = 512


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def start(url: str, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", str(WRITER), url, name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def acknowledged(writer: subprocess.Popen[str]) -> list[tuple[int, int]]:
    """Read (key, seed) of each put that returned, to the end of the process."""
    assert writer.stdout is not None
    lines = [line.split() for line in writer.stdout if line.endswith("\n")]
    writer.wait()
    writer.stdout.close()
    return [(int(key), int(seed)) for key, seed in (line for line in lines if len(line) == 2)]


def kill_after(writer: subprocess.Popen[str], lines: int, then_s: float) -> list[tuple[int, int]]:
    """Let the process answer some puts, kill it a random moment later and return all it answered."""
    assert writer.stdout is not None
    head = [writer.stdout.readline().split() for _ in range(lines + 1)]
    try:
        writer.wait(then_s)
    except subprocess.TimeoutExpired:
        writer.kill()
    return [(int(key), int(seed)) for key, seed in head[1:]] + acknowledged(writer)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    return f"sqlite:///{tmp_path}/catalog.db"


@pytest.mark.slow
def test_acknowledged_views_survive_kill_9(url: str) -> None:
    chance, newest = random.Random(7), 0
    for round_ in range(4):
        answered = kill_after(start(url, f"artist {round_}", 0), chance.randrange(25), chance.uniform(0, 0.05))
        catalog = open_catalog(url)
        assert [key for key, _ in answered] == list(range(newest + 1, newest + 1 + len(answered)))
        assert newest + len(answered) <= catalog.latest() <= newest + len(answered) + 1
        check_stored(url, answered)
        newest = catalog.latest()
        catalog.close()


def check_stored(url: str, answered: list[tuple[int, int]]) -> None:
    catalog = open_catalog(url)
    replaced = set(catalog.changes(0, 10**6, "engine").removed.tolist())
    kept = [(key, seed) for key, seed in answered if key not in replaced]
    views = catalog.views(np.array([key for key, _ in kept], np.int64))
    assert [views[key].metadata for key, _ in kept] == [{"seed": seed} for _, seed in kept]
    assert all(
        np.allclose(catalog.vectors(np.array([key]), "engine").get(key), unit(seed), atol=2e-4) for key, seed in kept
    )
    catalog.close()
    if url.startswith("sqlite"):
        check_file(Path(url.removeprefix("sqlite:///")))


def check_file(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


@pytest.mark.slow
def test_two_processes_that_write_at_once_lose_nothing(url: str) -> None:
    writers = [start(url, name, 40) for name in ("a", "b")]
    answered = [pair for writer in writers for pair in acknowledged(writer)]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(key for key, _ in answered) == list(range(1, 81))
    check_stored(url, answered)


@pytest.mark.slow
def test_another_process_sees_each_put_once_it_returned(url: str) -> None:
    catalog = open_catalog(url)
    writer = start(url, "a", 20)
    assert writer.stdout is not None
    writer.stdout.readline()
    for line in writer.stdout:
        assert catalog.latest() >= int(line.split()[0])
    assert writer.wait() == 0
    assert catalog.latest() == 20
    writer.stdout.close()
    catalog.close()
