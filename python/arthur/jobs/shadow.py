"""Shadow queries: the same photos asked of two engines, and what would change if one took the other's place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypeAlias

import cv2
import numpy as np

from arthur.blobs import Blobs
from arthur.catalog import Catalog
from arthur.decode import ImageDecoder
from arthur.errors import ArthurError, ConfigError
from arthur.pictures import kept_preview
from arthur.recognition.geometry import PREVIEW_SIDE
from arthur.recognizer import Recognizer
from arthur.simulation.fields import generator
from arthur.simulation.photo import photograph
from arthur.types import Recognition, StoredView

Entry: TypeAlias = tuple[str, str]
Change: TypeAlias = Literal["same", "other_decision", "other_entry", "failed"]

SEVERITIES = (1, 2, 3, 4)
SHOWN = 10
"""Changed answers that the summary names."""
_QUALITY = 92
_DRAWS = 20
_CHUNK = 16


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo to be asked. `truth` is the work on it, None where nobody knows."""

    name: str
    data: bytes
    truth: Entry | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one engine answered. `decision` is "failed" when it could not."""

    decision: str
    artist_id: str = ""
    entry_id: str = ""
    score: float = 0.0
    probability: float = 0.0

    @property
    def entry(self) -> Entry | None:
        """The entry that is named; None for an answer that names none."""
        return (self.artist_id, self.entry_id) if self.decision == "match" else None


@dataclass(frozen=True, slots=True)
class Flip:
    """One photo and both answers."""

    photo: str
    truth: Entry | None
    before: Answer
    after: Answer

    @property
    def change(self) -> Change:
        """What became of the answer. The best guess of an answer that is no match may change and is still the same."""
        if "failed" in (self.before.decision, self.after.decision):
            return "failed"
        if self.before.decision != self.after.decision:
            return "other_decision"
        return "same" if self.before.entry == self.after.entry else "other_entry"


def simulated(catalog: Catalog, blobs: Blobs, *, count: int, seed: int) -> Iterator[Photo]:
    """Photograph views drawn at random, whose picture is kept, by simulation: `count` of them, or as many as there are.

    Raises:
        StoreError: the catalog does not answer.
    """
    decoder = ImageDecoder()
    for number, view in enumerate(_drawn(catalog, count, seed)):
        work = kept_preview(blobs, decoder, view, side=PREVIEW_SIDE)
        if work is None:
            continue
        severity = SEVERITIES[number % len(SEVERITIES)]
        photo, _ = photograph(work, int(generator(92, seed, number).integers(2**31)), severity=severity)
        sent = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
        yield Photo(f"{view.view.hierarchical} ({severity})", sent, (view.view.artist_id, view.view.entry_id))


def photos_in(folder: Path, *, most: int) -> Iterator[Photo]:
    """Read up to `most` files of a folder and below, in order of their names.

    Raises:
        ConfigError: it is no folder, is empty, or a file cannot be read.
    """
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())[:most]
        if not paths:
            raise ConfigError(f"{folder} holds no photos")
        for path in paths:
            yield Photo(str(path.relative_to(folder)), path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror}") from error


def compared(photos: Iterable[Photo], before: Recognizer, after: Recognizer, *, threads: int = 2) -> Iterator[Flip]:
    """Ask both engines every photo, in order, and yield both answers."""

    def ask(photo: Photo) -> Flip:
        return Flip(photo.name, photo.truth, _asked(before.recognize, photo), _asked(after.recognize, photo))

    with ThreadPoolExecutor(threads, thread_name_prefix="shadow") as pool:
        stream = iter(photos)
        while chunk := list(islice(stream, _CHUNK)):
            yield from pool.map(ask, chunk)


def summary(flips: Sequence[Flip], *, before: str, after: str) -> dict[str, object]:
    """Return what changed, in numbers and examples; `before` and `after` are the engines' labels."""
    decisions = Counter((flip.before.decision, flip.after.decision) for flip in flips)
    known = [flip for flip in flips if flip.truth is not None]
    return {
        "before": before,
        "after": after,
        "photos": len(flips),
        "changes": dict(Counter(flip.change for flip in flips)),
        "decisions": {f"{one} -> {other}": count for (one, other), count in sorted(decisions.items())},
        "known": len(known),
        "right_before": sum(flip.before.entry == flip.truth for flip in known),
        "right_after": sum(flip.after.entry == flip.truth for flip in known),
        "wrong_before": sum(flip.before.entry not in (None, flip.truth) for flip in known),
        "wrong_after": sum(flip.after.entry not in (None, flip.truth) for flip in known),
        "examples": [_row(flip) for flip in flips if flip.change != "same"][:SHOWN],
    }


def lines(told: dict[str, object]) -> str:
    """Return a summary as a few lines for people."""
    changes, photos = told["changes"], told["photos"]
    same = changes.get("same", 0) if isinstance(changes, dict) else 0
    return (
        f"{told['before']} -> {told['after']}: {same} of {photos} answers stay\n"
        f"  decisions: {json.dumps(told['decisions'])}\n"
        f"  of {told['known']} photos of known works right {told['right_before']} -> {told['right_after']}, "
        f"wrong {told['wrong_before']} -> {told['wrong_after']}"
    )


def write(folder: Path, flips: Sequence[Flip], told: dict[str, object]) -> None:
    """Write every answer as `flips.parquet` and the summary as `flips.json`.

    Raises:
        ConfigError: the folder cannot be written.
    """
    import polars as pl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        pl.DataFrame([_row(flip) for flip in flips], infer_schema_length=None).write_parquet(folder / "flips.parquet")
        (folder / "flips.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the report cannot be written to {folder}: {error.strerror or error}") from error


def _row(flip: Flip) -> dict[str, object]:
    truth = flip.truth or ("", "")
    answers = (("before", flip.before), ("after", flip.after))
    told = {f"{when}_{name}": value for when, answer in answers for name, value in asdict(answer).items()}
    return {"photo": flip.photo, "artist_id": truth[0], "entry_id": truth[1], "change": flip.change, **told}


def _asked(recognize: Callable[[bytes], Recognition], photo: Photo) -> Answer:
    try:
        answer = recognize(photo.data)
    except ArthurError:
        return Answer("failed")
    if not answer.matches:
        return Answer(answer.decision)
    best = answer.matches[0]
    return Answer(answer.decision, best.view.artist_id, best.view.entry_id, best.score, best.probability)


def _drawn(catalog: Catalog, count: int, seed: int) -> list[StoredView]:
    """Draw live views at random, each once. Keys that ended are drawn in vain, so it draws several times."""
    chance = np.random.default_rng(seed)
    found: dict[int, StoredView] = {}
    latest = catalog.latest()
    for _ in range(_DRAWS):
        if len(found) >= min(count, catalog.counts().views):
            break
        found.update(catalog.views(np.unique(chance.integers(1, latest + 1, 4 * count))))
    keys = chance.permutation(sorted(found))[:count]
    return [found[key] for key in keys.tolist()]
