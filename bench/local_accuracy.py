"""Recognition by local features alone: a vote of visual words, then the planes of the best candidates.

    python -m bench.local_accuracy PICTURES [--top 25] [--sides 640 320] [--engine arthur-mini]

PICTURES holds `photos.csv` (photo, catalog, entries) beside folders `covers/catalog`, `museum/catalog` and `vangogh`
(distractors). Every photo is asked twice: as it is, and with its own entries left out of the catalogue, which makes it
a photo of an unknown work. One row a question goes to `results/local-accuracy.parquet`: what decides, and what it cost.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from arthur.decode import ImageDecoder
from arthur.encode import Encoder, open_encoder
from arthur.verify import Gray, Verification, Verifier, open_verifier
from bench import record
from bench.votes import Votes

ENROLLED_SIDE = 640
FOLDERS = ("covers/catalog", "museum/catalog", "vangogh")
GLOBAL_CANDIDATES = 3
"""Nearest entries by vector that are verified beside those of the vote."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A photo: its gray picture, its vector and what it shows."""

    gray: Gray
    vector: NDArray[np.float32]
    name: str
    kind: str
    side: int
    entries: frozenset[int]


@dataclass(frozen=True, slots=True)
class Row:
    """What one question showed: facts of the best candidate, and of its rivals.

    Attributes:
        side: longest side of the photo's gray picture, pixels.
        left_out: whether the photo's own entries were left out of the catalogue.
        known: whether an entry of the photo is in the catalogue.
        right: whether the best candidate is one of them.
        reached: whether one of them was among the candidates.
        strength: by which candidates are ranked.
        rival: inliers of the second best candidate.
        votes, vote_lead: of the best candidate, and by how much they exceed the best of the others.
        cosine_global, lead_global: its vector's cosine with the photo's, and lead over the best of the others.
        touched: share of all postings that the vote looked at.
    """

    photo: str
    kind: str
    side: int
    left_out: bool
    known: bool
    right: bool
    reached: bool
    strength: float
    rival: float
    inliers: int
    matches: int
    coverage: float
    visible: float
    support: float
    aside: float
    error_px: float
    cosine: float
    votes: float
    vote_lead: float
    cosine_global: float
    lead_global: float
    touched: float
    look_ms: float
    vote_ms: float
    compare_ms: float


class Gallery:
    """Enrolled pictures, as a question needs them."""

    def __init__(self, verifier: Verifier, packed: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        self.verifier = verifier
        self.packed = packed
        self.vectors = vectors
        self.votes = Votes(packed)

    def ask(self, photo: Asked, *, top: int) -> Iterator[Row]:
        """Ask for a photo with its entries in the catalogue, if it has any, and without them."""
        look, look_ms = _timed(lambda: self.verifier.look(photo.gray))
        (votes, touched), vote_ms = _timed(lambda: self.votes(look.query))
        cosines = self.vectors @ photo.vector
        # as many more as may be left out, so that both questions have their full number of candidates
        extra = len(photo.entries)
        order = np.argsort(-votes, kind="stable")[: top + extra]
        near = np.argsort(-cosines, kind="stable")[: GLOBAL_CANDIDATES + extra]
        candidates = list(dict.fromkeys([*order.tolist(), *near.tolist()]))
        found, compare_ms = _timed(lambda: self.verifier.compare(look, [self.packed[n] for n in candidates]))
        compared = dict(zip(candidates, found, strict=True))
        costs = {"touched": touched, "look_ms": look_ms, "vote_ms": vote_ms, "compare_ms": compare_ms}
        for left_out in (False, True) if photo.entries else (False,):
            hidden = photo.entries if left_out else frozenset()
            facts = _facts(compared, votes, cosines, hidden)
            best = facts.pop("best")
            yield Row(
                photo=photo.name,
                kind=photo.kind,
                side=photo.side,
                left_out=left_out,
                known=bool(photo.entries - hidden),
                right=best in photo.entries - hidden,
                reached=bool(photo.entries & set(candidates) - hidden),
                **facts,  # type: ignore[arg-type]  # one dictionary of numbers
                **costs,
            )


def strength(found: Verification) -> float:
    """Return how much a candidate's plane says: many inliers, all over the work, in the middle of the photo."""
    return found.inliers * found.coverage * max(0.2, 1 - found.aside)


def _facts(
    compared: Mapping[int, Verification],
    votes: NDArray[np.float64],
    cosines: NDArray[np.float32],
    hidden: frozenset[int],
) -> dict[str, float]:
    """Return the columns about the best of the candidates that are not hidden."""
    shown = [number for number in compared if number not in hidden]
    ranked = sorted(shown, key=lambda number: (strength(compared[number]), votes[number]), reverse=True)
    best, found = ranked[0], compared[ranked[0]]
    others = np.setdiff1d(np.arange(len(votes)), [best, *hidden])
    columns = {name: getattr(found, name) for name in ("inliers", "matches", "coverage", "visible", "support")}
    columns |= {name: getattr(found, name) for name in ("aside", "error_px", "cosine")}
    return columns | {
        "best": best,
        "strength": strength(found),
        "rival": compared[ranked[1]].inliers,
        "votes": float(votes[best]),
        "vote_lead": float(votes[best] - votes[others].max()),
        "cosine_global": float(cosines[best]),
        "lead_global": float(cosines[best] - cosines[others].max()),
    }


def summary(rows: pl.DataFrame) -> Iterator[str]:
    """Yield one line a kind and size of photo."""
    for (kind, side), part in sorted(rows.group_by("kind", "side"), key=lambda group: str(group[0])):
        known, unknown = part.filter("known"), part.filter(~pl.col("known"))
        yield (
            f"{kind} at {side}: {len(known)} known, R@1 {known['right'].mean():.3f}, "
            f"reached {known['reached'].mean():.3f}; "
            f"{len(unknown)} unknown; recall at 99 % precision {_recall_at_precision(known, unknown):.3f}, "
            f"false accepts at 95 % recall {_false_accepts(known, unknown):.3f}; median CPU ms: "
            f"look {part['look_ms'].median():.0f}, compare {part['compare_ms'].median():.0f}; "
            f"postings touched {part['touched'].mean():.3f}"
        )


def _recall_at_precision(known: pl.DataFrame, unknown: pl.DataFrame, precision: float = 0.99) -> float:
    """Return the share of known photos answered rightly at the lowest limit on strength that is precise enough."""
    wrong = np.concatenate([unknown["strength"].to_numpy(), known.filter(~pl.col("right"))["strength"].to_numpy()])
    right = known.filter("right")["strength"].to_numpy()
    recalls = [0.0]
    for limit in right[right > 0]:
        accepted = int((right >= limit).sum())
        if accepted / (accepted + int((wrong >= limit).sum())) >= precision:
            recalls.append(accepted / len(known))
    return max(recalls)


def _false_accepts(known: pl.DataFrame, unknown: pl.DataFrame, recall: float = 0.95) -> float:
    """Return the share of unknown photos accepted at the highest limit that accepts 95 % of the known ones rightly."""
    right = np.where(known["right"].to_numpy(), known["strength"].to_numpy(), -1.0)
    limit = np.sort(right)[::-1][int(np.ceil(recall * len(right))) - 1]
    return float((unknown["strength"].to_numpy() >= max(limit, 1e-9)).mean()) if limit > 0 else 1.0


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.thread_time()
    done = work()
    return done, (time.thread_time() - started) * 1e3


class Reader:
    """Pictures as gray previews and vectors, from one decode each."""

    def __init__(self, encoder: Encoder) -> None:
        self._decode = ImageDecoder()
        self._encoder = encoder

    def __call__(self, path: Path, side: int) -> tuple[Gray, NDArray[np.float32]]:
        """Return the gray picture, longest side at most `side`, and the vector."""
        spec = self._encoder.spec
        decoded = self._decode(path.read_bytes(), spec.side, fit=spec.fit, preview_side=side, preview_gray=True)
        if decoded.preview is None:
            raise SystemExit(f"{path} has no preview")
        return decoded.preview, self._encoder.encode(decoded.pixels[None])[0]


def enrolled(folder: Path, reader: Reader, verifier: Verifier) -> tuple[Gallery, dict[tuple[str, str], int]]:
    """Enroll all pictures; return the gallery, and each one's place in it by kind and name."""
    paths = [path for name in FOLDERS for path in sorted((folder / name).glob("*.jpg"))]
    packed, vectors = [], []
    for path in paths:
        gray, vector = reader(path, ENROLLED_SIDE)
        packed.append(verifier.describe(gray))
        vectors.append(vector)
    places = {(path.relative_to(folder).parts[0], path.stem): number for number, path in enumerate(paths)}
    return Gallery(verifier, packed, np.array(vectors)), places


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description="Measure recognition by local features.")
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--top", type=int, default=25, help="candidates of the vote that are verified")
    parser.add_argument("--sides", type=int, nargs="+", default=[640, 320], help="longest sides of the gray photos")
    parser.add_argument("--engine", default="arthur-mini")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    verifier, reader = open_verifier("sift:"), Reader(open_encoder(options.engine, threads=1))
    gallery, places = enrolled(options.pictures, reader, verifier)
    rows: list[Row] = []
    with (options.pictures / "photos.csv").open() as lines:
        for line in csv.DictReader(lines):
            names = [] if line["entries"] == "none" else line["entries"].split(";")
            entries = frozenset(places[line["catalog"], name] for name in names)
            for side in options.sides:
                gray, vector = reader(options.pictures / line["photo"], side)
                asked = Asked(gray, vector, line["photo"], line["catalog"], side, entries)
                rows.extend(gallery.ask(asked, top=options.top))
    facts = {"verifier": verifier.fingerprint, "top": options.top, "pictures": len(places)}
    columns = record.context(0, packages=("opencv-python-headless", "numpy")) | facts
    written = record.write("local-accuracy", [asdict(row) for row in rows], columns)
    for line_ in summary(pl.read_parquet(written)):
        print(line_)


if __name__ == "__main__":
    main()
