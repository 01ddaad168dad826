"""kill -9 of a move: run again it goes on, and ends with an equal catalogue."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest

from arthur.catalog import open_catalog
from arthur.types import NewView, ViewId

VIEWS, TURNS = 2500, 2


def new(number: int) -> NewView:
    vector = np.eye(512, dtype=np.float32)[number % 512]
    return NewView(ViewId(f"a{number % 30}", "e", str(number)), vector, "f", "h", "", "jpeg", 1, 1, 1)


def moving(source: str, target: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "arthur", "catalog", "move", source, target, "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def views_of(url: str) -> int:
    catalog = open_catalog(url)
    count = catalog.latest()
    catalog.close()
    return count


@pytest.mark.slow
@pytest.mark.service("postgresql")
def test_a_killed_move_goes_on_and_ends_equal(tmp_path: Path, postgres: str) -> None:
    source, chance = f"sqlite:///{tmp_path}/catalog.db", random.Random(5)
    catalog = open_catalog(source)
    catalog.put([new(number) for number in range(VIEWS)])
    open_catalog(postgres).close()
    reached = [0]
    for turn in range(1, TURNS + 1):
        mover = moving(source, postgres)
        while views_of(postgres) < min(reached[-1] + chance.randrange(1, 600), VIEWS) and mover.poll() is None:
            pass
        mover.kill()
        mover.communicate()
        reached.append(views_of(postgres))
        catalog.remove(f"a{turn}")
    done = moving(source, postgres)
    moved = orjson.loads(done.communicate()[0])
    assert (done.returncode, moved["sequence"], moved["rows"]["views"]) == (0, catalog.latest(), catalog.counts().views)
    assert reached == sorted(reached)
    catalog.close()
