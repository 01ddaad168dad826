"""Several photos of one work in one request: what more frames bring.

    python -m bench.frames PICTURES [--engine arthur-mini]

PICTURES holds `photos.csv` beside `covers/`, `museum/` and `vangogh/`. The covers were photographed by several phones:
each is asked by one photo, by two and by all of them. One row a question goes to `results/frames.parquet`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import polars as pl

from arthur.assemble import open_arthur
from arthur.config import load_settings
from arthur.errors import ArthurError
from arthur.recognizer import Enrolment, Recognizer
from arthur.types import ViewId
from bench import record

FOLDERS = {"covers": "covers/catalog", "museum": "museum/catalog", "vangogh": "vangogh"}
BATCH = 64


def enroll(recognizer: Recognizer, pictures: Path) -> None:
    """Enroll every catalogue picture."""
    works = [(artist, path) for artist, folder in FOLDERS.items() for path in sorted((pictures / folder).glob("*.jpg"))]
    for first in range(0, len(works), BATCH):
        batch = [
            Enrolment(ViewId(artist, path.stem, "main"), path.read_bytes())
            for artist, path in works[first : first + BATCH]
        ]
        for outcome in recognizer.enroll_many(batch):
            if isinstance(outcome, ArthurError):
                raise outcome


def asked(recognizer: Recognizer, photos: Path) -> Iterator[dict[str, object]]:
    """Ask for each cover by one, two and all of its photos, and yield what came of it."""
    phones = sorted({path.stem.partition("_")[0] for path in photos.glob("*.jpg")})
    for number in sorted({path.stem.partition("_")[2] for path in photos.glob("*.jpg")}):
        for count in sorted({1, 2, len(phones)}):
            for chosen in combinations(phones, count):
                frames = [(photos / f"{phone}_{number}.jpg").read_bytes() for phone in chosen]
                started = time.process_time()
                found = recognizer.recognize_frames(frames)
                yield {
                    "work": number,
                    "frames": count,
                    "phones": "+".join(chosen),
                    "right": bool(found.matches) and found.matches[0].view.entry_id == number,
                    "decision": found.decision,
                    "probability": found.probability,
                    "cpu_ms": (time.process_time() - started) * 1e3,
                }


def main() -> None:
    """Enroll, ask, and print what more frames bring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--engine", default="arthur-mini")
    given = parser.parse_args()
    columns = record.context(0, packages=("numpy", "onnxruntime"))
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data=Path(folder) / "data", engine=given.engine, engine_threads=1, cache="none:")
        with open_arthur(settings) as arthur:
            enroll(arthur.recognizer, given.pictures)
            rows = list(asked(arthur.recognizer, given.pictures / "covers" / "photos"))
    print(record.write("frames", rows, columns | {"engine": given.engine}))
    matched = (pl.col("decision") == "match").alias("matched")
    wrong = (matched & ~pl.col("right")).sum().alias("wrong matches")
    cost = pl.col("cpu_ms").median()
    print(
        pl.DataFrame(rows)
        .group_by("frames")
        .agg(pl.len(), pl.col("right").mean(), matched.mean(), wrong, cost)
        .sort("frames")
    )


if __name__ == "__main__":
    main()
