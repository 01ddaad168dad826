"""Fits the decision: photographs painted works, known and unknown, and learns when the best answer is the right one.

    python -m bench.decision [--engine arthur-mini] [--works 800] [--queries 1200] [--rows FILE] [--into FILE]

Half of the queries show enrolled works, half do not: other works of enrolled artists, works of unknown artists, other
works of an enrolled series, and no artwork at all. Each half is spread evenly over mild copies and the four
severities of ArtPhoto-sim. The fit is judged on queries that it has not seen; the numbers go into the file as its
provenance.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from arthur.decision import Calibration, decide, lead
from arthur.decode import ImageDecoder
from arthur.encode import Encoder, open_encoder
from arthur.simulation.fields import Picture, generator
from arthur.simulation.photo import photograph
from bench import record
from bench.artphoto.paintings import WORKS_PER_ARTIST, painting, work
from bench.distort import distort

Floats = NDArray[np.float64]

MILD = 0
SEVERITIES = (MILD, 1, 2, 3, 4)
KINDS = ("artist", "artist", "artist", "artist", "unknown", "unknown", "unknown", "series", "series", "nothing")
"""Kinds of unknown works, as often as they are named."""
LIMIT = 0.001
RIDGE = 1e-2
STEPS = 100


@dataclass(frozen=True, slots=True)
class Query:
    """One photo's outcome: the two best scores, and whether the best entry is the photographed work."""

    severity: int
    kind: str
    score: float
    rival: float
    right: bool


def queries(encoder: Encoder, *, works: int, count: int, seed: int) -> Iterator[Query]:
    """Enroll painted works, and photograph known and unknown ones."""
    decode = ImageDecoder()
    references = np.concatenate([_embed(encoder, decode, _jpeg(painting(*work(n, seed=seed)))) for n in range(works)])
    for number in range(count):
        severity = SEVERITIES[number // 2 % len(SEVERITIES)]
        kind = "known" if number % 2 == 0 else KINDS[number // 2 // len(SEVERITIES) % len(KINDS)]
        chance = generator(71, seed, number)
        truth = int(chance.integers(works))
        photo = _photo(_subject(kind, truth, number, seed), severity, number, clutter=truth)
        scores = references @ _embed(encoder, decode, photo)[0]
        second, best = np.argsort(scores)[-2:]
        right = kind == "known" and best == truth
        yield Query(severity, kind, float(scores[best]), float(scores[second]), bool(right))


def _subject(kind: str, truth: int, number: int, seed: int) -> Picture:
    """Paint the work to be photographed."""
    artist, composition, detail = work(truth, seed=seed)
    if kind == "artist":
        return painting(artist, WORKS_PER_ARTIST + number, 0)
    if kind == "series":
        return painting(artist, composition, WORKS_PER_ARTIST + number)
    if kind == "unknown":
        return painting(artist + 500_000, composition, number)
    if kind == "nothing":
        coarse = generator(72, seed, number).integers(0, 256, (6, 8, 3)).astype(np.uint8)
        return cv2.resize(coarse, (512, 384), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return painting(artist, composition, detail)


def _photo(subject: Picture, severity: int, number: int, *, clutter: int) -> bytes:
    if severity == MILD:
        return distort(Image.fromarray(subject), number)
    around = [painting(900_000 + clutter, place, number, size=256) for place in range(2)]
    return _jpeg(photograph(subject, number, severity=severity, clutter=around)[0])


def _jpeg(picture: Picture) -> bytes:
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1])


def _embed(encoder: Encoder, decode: ImageDecoder, data: bytes) -> NDArray[np.float32]:
    """Return the (1, dim) vector of a picture, as Arthur computes it."""
    return encoder.encode(decode(data, encoder.spec.side, fit=encoder.spec.fit).pixels[None])


def fit(scores: Floats, leads: Floats, right: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return intercept, score weight and lead weight of the likeliest logistic whose weights are not negative."""
    columns = [np.ones_like(scores), scores, leads]
    used = [0, 1, 2]
    while True:
        weights = _newton(np.stack([columns[place] for place in used], axis=1), right.astype(np.float64))
        negative = [place for place, weight in zip(used, weights, strict=True) if place > 0 and weight < 0]
        if not negative:
            found = dict(zip(used, weights.tolist(), strict=True))
            return found[0], found.get(1, 0.0), found.get(2, 0.0)
        used.remove(negative[0])


def _newton(inputs: Floats, labels: Floats) -> Floats:
    """Maximise the likelihood, with a small ridge on everything but the intercept."""
    weights = np.zeros(inputs.shape[1])
    ridge = np.diag([0.0] + [RIDGE] * (inputs.shape[1] - 1))
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (labels - probability) - ridge @ weights
        curvature = (inputs * (probability * (1 - probability))[:, None]).T @ inputs + ridge
        step = np.linalg.solve(curvature + 1e-9 * np.eye(len(weights)), slope)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def calibrate(seen: list[Query], *, fingerprint: str) -> Calibration:
    """Fit a calibration to the queries."""
    scores, leads = np.array([q.score for q in seen]), np.array([lead(q.score, q.rival) for q in seen])
    right = np.array([q.right for q in seen])
    intercept, score_weight, lead_weight = fit(scores, leads, right)
    lone_rival = float(np.median(scores[~right]))
    return Calibration(intercept, score_weight, lead_weight, lone_rival, fingerprint=fingerprint)


def judge(calibration: Calibration, unseen: list[Query]) -> dict[str, float]:
    """Measure a calibration on queries it was not fitted to."""
    probability = np.array([calibration.probability(q.score, q.rival) for q in unseen])
    right = np.array([q.right for q in unseen])
    known = np.array([q.kind == "known" for q in unseen])
    kinds = [decide([q.score, q.rival], calibration, max_false_accept=LIMIT).kind for q in unseen]
    matched = np.array([kind == "match" for kind in kinds])
    bins = np.minimum((probability * 10).astype(int), 9)
    gaps = [
        abs(probability[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist())
    ]
    likelihood = np.where(right, probability, 1 - probability)
    return {
        "log_loss": round(float(-np.log(np.maximum(likelihood, 1e-12)).mean()), 4),
        "calibration_error": round(float(sum(gaps)), 4),
        "first_is_right_when_known": round(float(right[known].mean()), 4),
        "matched_when_known_and_right": round(float(matched[right].mean()), 4),
        "matches_that_are_wrong": int((matched & ~right).sum()),
        "wrong_possible": int((~right).sum()),
    }


def measured(options: argparse.Namespace) -> pl.DataFrame:
    """Return the raw rows of an earlier run, or measure and record new ones."""
    if options.rows:
        return pl.read_parquet(options.rows)
    encoder = open_encoder(options.engine)
    rows = [asdict(row) for row in queries(encoder, works=options.works, count=options.queries, seed=options.seed)]
    engine = {"engine": encoder.spec.label, "fingerprint": encoder.spec.fingerprint, "works": options.works}
    columns = record.context(options.seed, packages=("onnxruntime",)) | engine
    return pl.read_parquet(record.write("decision", rows, columns))


def main() -> None:
    """Fit as the command line says."""
    parser = argparse.ArgumentParser(description="Fit the decision of an engine.")
    parser.add_argument("--engine", default="arthur-mini", help="name of an engine, or its folder")
    parser.add_argument("--works", type=int, default=800, help="works to enroll")
    parser.add_argument("--queries", type=int, default=1200, help="photos, half of them of enrolled works")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=Path, help="fit these raw rows of an earlier run instead of measuring")
    parser.add_argument("--into", type=Path, help="decision.json to write: beside the engine, or the shipped default")
    parser.add_argument("--any-engine", action="store_true", help="write it for engines that have none of their own")
    options = parser.parse_args()
    raw = measured(options)
    rows = [Query(**row) for row in raw.select(field.name for field in fields(Query)).iter_rows(named=True)]
    # Neighbours in the list share severity and kind, so whole blocks of the cycle are held out.
    blocks = [number // (2 * len(SEVERITIES) * len(KINDS)) % 2 for number in range(len(rows))]
    fitted = calibrate([row for row, block in zip(rows, blocks, strict=True) if block == 0], fingerprint="")
    unseen = judge(fitted, [row for row, block in zip(rows, blocks, strict=True) if block == 1])
    run = raw.row(0, named=True)
    final = calibrate(rows, fingerprint="" if options.any_engine else run["fingerprint"])
    facts = {"script": "bench/decision.py", "pictures": "ArtPhoto-sim", "queries": len(rows), "held_out": unseen}
    provenance = facts | {name: run[name] for name in ("engine", "works", "seed", "commit")}
    document = json.dumps(asdict(final) | {"provenance": provenance}, indent=2)
    print(document)
    if options.into:
        options.into.write_text(document + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
