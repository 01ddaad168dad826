"""Does an import keep its stages busy? What they take one after the other, each on all cores, and what the job takes.

usage: python -m bench.importing [--pictures 600] [--threads 2] [--turns 1] [--folder FOLDER]; draws the pictures, or
takes those of a folder laid out as artist/entry.jpg. Stages are `read`, `prepare` (decode, describe, embed) and `enter`
(commit, thumbnails, both indices, works that look alike), over the same groups as a job's. Every turn is in new
catalogues. Writes results/importing.parquet.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from arthur.assemble import Arthur, open_arthur, options_of
from arthur.config import Settings
from arthur.jobs.importing import GROUP
from arthur.jobs.items import Item
from arthur.jobs.sources import open_source
from arthur.jobs.starting import local_spec, start_job
from arthur.pictures import Pictures
from arthur.processors import usable_cores
from arthur.recognition.enrolment import Embedded
from arthur.recognition.geometry import Geometry
from arthur.recognition.likeness import Enrolled
from arthur.recognition.model import Model
from arthur.recognizer import Enrolment
from arthur.trades import open_trade, open_worker, reach_of
from bench.artphoto.paintings import painting
from bench.record import context, write

WORKS = 20
SIDE = 480
LOOK_S = 0.2

Row = dict[str, object]


def draw(folder: Path, count: int) -> None:
    """Draw paintings as artist/entry.jpg."""
    for number in range(count):
        artist, work = divmod(number, WORKS)
        file = folder / f"artist {artist}" / f"work {work}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        encoded = io.BytesIO()
        Image.fromarray(painting(artist, work, 0, size=SIDE)).save(encoded, "JPEG", quality=90)
        file.write_bytes(encoded.getvalue())


def timed(name: str, turn: int, items: int, call: Callable[[], object]) -> Row:
    """Run `call` once and return one observation; the processor's time tells what a busy machine hides."""
    begin, cpu_begin = time.perf_counter(), time.process_time()
    call()
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu_begin
    return {"what": name, "turn": turn, "items": items, "seconds": wall, "cpu_seconds": cpu}


class Stages:
    """The stages of an import, by the same parts."""

    def __init__(self, arthur: Arthur, folder: Path, threads: int) -> None:
        self._arthur = arthur
        self._threads = threads
        self._pictures = Pictures(arthur.blobs, keep_originals=False)
        self._geometry = None if arthur.shared.local is None else Geometry(arthur.shared.local, arthur.catalog)
        self._model = Model(arthur.parts, options=options_of(arthur.settings), geometry=self._geometry)
        self._folder = folder
        self._items = [one for one in open_source(folder) if isinstance(one, Item)]
        self._read: list[list[Enrolment]] = []
        self._prepared: list[list[Embedded]] = []

    def read(self) -> None:
        """Read the files."""
        groups = [self._items[at : at + GROUP] for at in range(0, len(self._items), GROUP)]
        self._read = self._over(
            groups, lambda group: [Enrolment(one.view, (self._folder / one.source).read_bytes()) for one in group]
        )

    def prepare(self) -> None:
        """Decode, describe and embed."""
        self._prepared = self._over(
            self._read, lambda group: [one for one in self._model.prepare(group) if isinstance(one, Embedded)]
        )

    def enter(self) -> None:
        """Commit, keep thumbnails, index, and look for works that are alike."""
        self._over(self._prepared, self._enter)

    def _enter(self, group: list[Embedded]) -> None:
        puts = self._arthur.catalog.put([one.row for one in group])
        for put, one in zip(puts, group, strict=True):
            self._pictures.keep(put, b"", one.thumbnail)
        self._model.follower.catch_up()
        if self._geometry is not None:
            self._geometry.follower.catch_up()
        packed = [None if one.row.features is None else one.row.features.data for one in group]
        rows = zip(puts, group, packed, strict=True)
        self._model.likenesses.note([Enrolled(put.stored, one.row.vector, data) for put, one, data in rows])

    def _over(self, groups: list, call: Callable) -> list:  # type: ignore[type-arg]  # of any stage
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(call, groups))


@contextmanager
def opened(**settings: object) -> Iterator[Arthur]:
    """Yield Arthur over a new catalogue."""
    with tempfile.TemporaryDirectory() as data, open_arthur(Settings(data=Path(data), **settings)) as arthur:  # type: ignore[arg-type]  # checked by pydantic
        yield arthur


def imported(arthur: Arthur, folder: Path, threads: int) -> None:
    """Import by a job and a worker, until it is done."""
    job = start_job(
        arthur.catalog, reach_of(arthur.settings), local_spec(str(folder), None), now_us=time.time_ns() // 1000
    )
    with open_trade(arthur) as trade:
        worker = open_worker(arthur, trade, threads=threads, only=job.number)
        worker.start()
        while not (job := arthur.catalog.jobs.job(job.job_id)).ended:
            time.sleep(LOOK_S)
        worker.close()
    if job.failed or job.imported != job.total:
        raise SystemExit(f"{job.imported} of {job.total} were imported, {job.failed} failed")


def main() -> None:
    """Measure, and say how the job compares to its stages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as drawn:
        folder = given.folder or Path(drawn)
        if given.folder is None:
            draw(folder, given.pictures)
        count = sum(1 for _ in open_source(folder))
        for turn in range(given.turns):
            with opened() as arthur:
                stages = Stages(arthur, folder, given.threads)
                rows += [timed(name, turn, count, getattr(stages, name)) for name in ("read", "prepare", "enter")]
            with opened() as arthur:
                rows.append(timed("job", turn, count, lambda opened=arthur: imported(opened, folder, given.threads)))
            tell(rows[-4:])
    write("importing", rows, {**context(1, packages=["onnxruntime", "sqlalchemy"]), "threads": given.threads})


def tell(rows: list[Row]) -> None:
    """Print one turn."""
    for row in rows:
        print(f"{row['what']:8} {row['seconds']:7.1f} s, {row['cpu_seconds']:7.1f} s of the processors")
    for name in ("seconds", "cpu_seconds"):
        *stages, job = (float(str(row[name])) for row in rows)
        print(f"{name}: the stages take {sum(stages) / job:.2f} times what the job takes")


if __name__ == "__main__":
    main()
