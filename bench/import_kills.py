"""An import whose workers are killed with kill -9: is the catalogue in the end exactly that of one nobody disturbed?

usage: python -m bench.import_kills [--pictures 20000] [--kills 10] [--workers 2] [--seed 1] [--catalog URL]...

Measures SQLite in a new file and each catalogue named, which must be empty. Pictures are small mosaics, embedded by a
random projection and without local features, so that the queue and not the engine is what is busy. The expected
catalogue is imported by one process that lives. Then workers share the same import; one of them, chosen by chance, is
killed whenever the catalogue has grown by a random share, and another begins in its place. Compared are every view's
name, content, metadata, format, size and source, its vector to the last bit, its thumbnail's bytes, and what was
counted. Writes results/import_kills.parquet.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from arthur.blobs import open_blobs
from arthur.catalog import Catalog, open_catalog
from arthur.config import Settings
from arthur.jobs.starting import local_spec, start_job
from arthur.pictures import thumbnail_name
from arthur.trades import reach_of
from arthur.types import Job
from bench.model_change import write_engine
from bench.record import context, write

ARTISTS = 40
PAGE = 1000
LEASE_S = 5
Facts = dict[str, tuple[object, ...]]


def draw(folder: Path, count: int) -> None:
    """Draw small mosaics as artist/entry.png; every hundredth file is no picture."""
    for number in range(count):
        file = folder / f"artist {number % ARTISTS}" / f"work {number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        tiles = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
        cv2.imwrite(str(file), cv2.resize(tiles, (64, 64), interpolation=cv2.INTER_NEAREST))
        if number % 100 == 99:
            file.write_bytes(b"no picture")


def facts_of(catalog: Catalog, settings: Settings) -> Facts:
    """Return all that an import made, by the names of views."""
    blobs, fingerprint = open_blobs(settings.blobs_url), catalog.engine()
    found: Facts = {}
    for artist in range(ARTISTS):
        cursor, more = None, True
        while more:
            page = catalog.views_of(f"artist {artist}", None, cursor=cursor, limit=PAGE)
            vectors = catalog.vectors(np.array([row.key for row in page.rows], np.int64), fingerprint)
            for row in page.rows:
                kept = (row.content_hash, str(row.metadata), row.format, row.width, row.height, row.source)
                found[row.view.hierarchical] = (*kept, vectors[row.key].tobytes(), blobs.read(thumbnail_name(row)))
            cursor, more = page.next_cursor, page.next_cursor is not None
    return found


class Crew:
    """Workers of one catalogue."""

    def __init__(self, settings: Settings, log: Path) -> None:
        told = {"data": settings.data, "catalog": settings.catalog, "engine": settings.engine, "local": settings.local}
        given = {**told, "index": settings.index, "job_lease_s": settings.job_lease_s}
        self._environment = os.environ | {f"ARTHUR_{name.upper()}": str(value) for name, value in given.items()}
        self._log = log.open("ab")
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start one worker."""
        command = [sys.executable, "-m", "arthur", "jobs", "work", "--threads", "2", "--until-done"]
        process = subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=self._log)
        self.workers.append(process)

    def kill(self, chance: random.Random) -> None:
        """Kill one worker that lives, with kill -9."""
        victim = chance.choice([one for one in self.workers if one.poll() is None])
        victim.kill()
        victim.wait()

    def wait(self) -> None:
        """Wait until those that live have nothing left to do."""
        for one in self.workers:
            one.wait()


def disturbed(catalog: Catalog, job: Job, crew: Crew, *, pictures: int, kills: int, seed: int) -> list[int]:
    """Kill workers at random moments of a job; return how many views there were at each."""
    chance, reached = random.Random(seed), []
    moments = sorted(chance.random() * pictures * 0.95 for _ in range(kills))
    for moment in moments:
        while catalog.counts().views < moment and not catalog.jobs.job(job.job_id).ended:
            time.sleep(0.002)
        reached.append(catalog.counts().views)
        crew.kill(chance)
        crew.start()
    crew.wait()
    return reached


def run(folder: Path, settings: Settings, *, workers: int, kills: int, seed: int) -> dict[str, object]:
    """Import a folder, kill workers meanwhile, and return what there is in the end."""
    pictures = sum(1 for _ in folder.rglob("*.png"))
    with closing(open_catalog(settings.catalog_url)) as catalog:
        spec = local_spec(str(folder), None)
        job = start_job(catalog, reach_of(settings), spec, now_us=time.time_ns() // 1000)
        crew = Crew(settings, settings.data.parent / "log")
        begun = time.perf_counter()
        for _ in range(workers):
            crew.start()
        reached = disturbed(catalog, job, crew, pictures=pictures, kills=kills, seed=seed)
        seconds = time.perf_counter() - begun
        ended = catalog.jobs.job(job.job_id)
        facts = facts_of(catalog, settings)
        again = catalog.latest() - len(facts)
    counts = (ended.state, ended.imported, ended.skipped, ended.failed, ended.total)
    return {"seconds": seconds, "killed_at": reached, "counts": counts, "facts": facts, "again": again}


def runs(given: argparse.Namespace, home: Path) -> Iterator[tuple[str, dict[str, object], dict[str, object]]]:
    """Yield each database's name with what an undisturbed import made, and what the disturbed one did."""
    draw(home / "shelf", given.pictures)
    engine = write_engine(home / "engines" / "tiny", seed=1)
    for number, url in enumerate(["", "", *given.catalog]):
        data = home / f"catalogue {number}"
        fixed = {"engine": str(engine), "index": "exact:", "local": "none:", "job_lease_s": LEASE_S}
        settings = Settings(data=data / "data", catalog=url, **fixed)  # type: ignore[arg-type]  # checked by pydantic
        data.mkdir()
        kills = given.kills if number else 0
        made = run(home / "shelf", settings, workers=given.workers if number else 1, kills=kills, seed=given.seed)
        if number == 0:
            expected = made
        else:
            yield url.partition(":")[0] or "sqlite", expected, made


def main() -> None:
    """Compare, and fail when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--catalog", action="append", default=[])
    given = parser.parse_args()
    rows, differing = [], 0
    with tempfile.TemporaryDirectory() as home:
        for database, expected, made in runs(given, Path(home)):
            same = made["facts"] == expected["facts"]
            differing += not same or made["counts"] != expected["counts"]
            told = {name: value for name, value in made.items() if name not in ("facts", "counts")}
            rows.append({"database": database, "same": same, **told, "counts": str(made["counts"])})
            print(f"{database}: {'the same catalogue' if same else 'ANOTHER CATALOGUE'} in {made['seconds']:.0f} s")
            print(f"  undisturbed {expected['counts']}, killed at {made['killed_at']} views {made['counts']}")
            print(f"  {made['again']} views were put a second time")
    write("import_kills", rows, {**context(given.seed, packages=["sqlalchemy"]), "pictures": given.pictures})
    raise SystemExit(1 if differing else 0)


if __name__ == "__main__":
    main()
