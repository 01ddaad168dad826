"""What each stage of a recognition takes of the processor, photo by photo: the service times of a queue's simulation.

    python -m bench.stages [--works 300] [--photos 200]

Works are drawn; a photo is a distorted copy of one, and every fourth of one that was not enrolled. The engine has one
thread, and the clock of the stages is the processor time of the process. Raw rows go to `results/stages.parquet`.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
from PIL import Image

from arthur.assemble import open_arthur, options_of
from arthur.config import load_settings
from arthur.recognizer import Enrolment, Recognizer
from arthur.types import ViewId
from bench import record
from bench.artphoto.paintings import painting
from bench.distort import distort

SIDE, BATCH, SEED, UNKNOWN = 640, 20, 1, 4

Row = dict[str, object]


def enroll(recognizer: Recognizer, works: int) -> None:
    """Enroll drawn works, one an artist."""
    for first in range(0, works, BATCH):
        batch = []
        for number in range(first, min(first + BATCH, works)):
            encoded = io.BytesIO()
            Image.fromarray(painting(number, 0, 0, size=SIDE)).save(encoded, "JPEG", quality=90)
            batch.append(Enrolment(ViewId(f"artist {number}", "work", "main"), encoded.getvalue()))
        recognizer.enroll_many(batch)


def asked(recognizer: Recognizer, works: int, photos: int) -> Iterator[Row]:
    """Ask for known and unknown works and yield one row a photo and stage."""
    for number in range(photos):
        known = number % UNKNOWN != 0
        work = number % works if known else works + number
        photo = distort(Image.fromarray(painting(work, 0, 0, size=SIDE)), SEED + number)
        found = recognizer.recognize(photo)
        for stage, cpu_ms in found.timings_ms.items():
            yield {"photo": number, "known": known, "decision": found.decision, "bytes": len(photo),
                   "stage": stage, "cpu_ms": cpu_ms}  # fmt: skip


def main() -> None:
    """Enroll, ask, keep the rows and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=300)
    parser.add_argument("--photos", type=int, default=200)
    given = parser.parse_args()
    columns = record.context(SEED, packages=("numpy", "onnxruntime"))
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data=Path(folder) / "data", engine="arthur-mini", engine_threads=1, cache="none:")
        with open_arthur(settings) as arthur:
            recognizer = Recognizer(replace(arthur.parts, clock=time.process_time), options_of(settings))
            enroll(recognizer, given.works)
            rows = list(asked(recognizer, given.works, given.photos))
            recognizer.close()
    path = record.write("stages", rows, columns | {"engine": "arthur-mini", "works": given.works})
    print(path)
    cost = pl.col("cpu_ms")
    print(
        pl.read_parquet(path)
        .group_by("stage", maintain_order=True)
        .agg(pl.len(), cost.median().alias("p50"), cost.quantile(0.99).alias("p99"))
    )


if __name__ == "__main__":
    main()
