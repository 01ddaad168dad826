"""kill -9 of workers in the middle of an import: it ends with every picture once, and with nothing half made."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arthur.blobs import open_blobs
from arthur.catalog import open_catalog
from arthur.config import load_settings
from arthur.jobs.starting import local_spec, start_job
from arthur.pictures import thumbnail_name
from arthur.recognition.answers import content_hash
from arthur.trades import reach_of
from tests.models import picture

PICTURES, KILLS = 150, 2
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def shelf(tmp_path: Path) -> dict[str, str]:
    """Pictures by the name of their view, as hashes; one file is no picture."""
    expected = {}
    for seed in range(PICTURES):
        file = tmp_path / "shelf" / f"a{seed % 7}" / f"e{seed}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(seed))
        expected[f"a{seed % 7}.e{seed}.main"] = content_hash(file.read_bytes())
    (tmp_path / "shelf/a0/broken.png").write_bytes(b"no picture")
    return expected


@pytest.fixture
def worker(tmp_path: Path, tiny_engine: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start workers on a catalogue; what still runs in the end is killed."""
    running: list[subprocess.Popen[bytes]] = []
    given = {"DATA": tmp_path / "data", "ENGINE": tiny_engine, "INDEX": "exact:", "LOCAL": "none:", "JOB_LEASE_S": 1}
    environment = {**os.environ, **{f"ARTHUR_{name}": str(value) for name, value in given.items()}}

    def start(url: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "arthur", "jobs", "work", "--threads", "2", "--until-done"]
        running.append(subprocess.Popen(command, env={**environment, "ARTHUR_CATALOG": url}, stdout=subprocess.DEVNULL))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def test_a_killed_import_ends_with_exactly_its_pictures(
    request: pytest.FixtureRequest, tmp_path: Path, shelf: dict[str, str], worker: Any, kind: str
) -> None:
    url = request.getfixturevalue("postgres") if kind == "postgresql" else f"sqlite:///{tmp_path}/catalog.db"
    chance = random.Random(5)
    with closing(open_catalog(url)) as catalog:
        spec = local_spec(str(tmp_path / "shelf"), None)
        job = start_job(catalog, reach_of(load_settings()), spec, now_us=time.time_ns() // 1000)
        for turn in range(KILLS):
            died = worker(url)
            reached = (turn + chance.random()) * PICTURES / (KILLS + 1)
            while catalog.counts().views < reached:
                time.sleep(0.001)
            died.kill()
        last = worker(url)
        assert last.wait(300) == 0
        ended = catalog.jobs.job(job.job_id)
        found = {
            one.view.hierarchical: one
            for a in range(7)
            for one in catalog.views_of(f"a{a}", None, cursor=None, limit=1000).rows
        }
        assert (ended.state, ended.imported, ended.failed) == ("done", PICTURES, 1)
        assert {name: one.content_hash for name, one in found.items()} == shelf
        blobs = open_blobs(f"file://{tmp_path}/data/blobs")
        assert [name for name, one in found.items() if blobs.read(thumbnail_name(one)) is None] == []
