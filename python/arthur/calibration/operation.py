"""Calibrating a catalogue: draw views, photograph them, fit, and remember the outcome in the catalog."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from arthur.blobs import Blobs
from arthur.calibration.calibrating import Reliability, calibrate
from arthur.calibration.kept import default_calibration
from arthur.calibration.trials import Trial, run_trials, sample
from arthur.catalog import Catalog
from arthur.decision import AIM_INPUTS, Calibration
from arthur.decode import ImageDecoder
from arthur.errors import BadRequest
from arthur.pictures import kept_preview
from arthur.recognition.follower import Progress
from arthur.recognition.geometry import PREVIEW_SIDE
from arthur.recognition.sighting import Entry
from arthur.recognizer import Recognizer
from arthur.types import JsonValue, StoredView

_PAGE, _TWINS = 8192, 1000


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a calibration works with.

    Attributes:
        fingerprint: of the engine.
        verifier: fingerprint of the verifier; "" without one.
        threads: photos looked at side by side.
    """

    recognizer: Recognizer
    catalog: Catalog
    blobs: Blobs
    fingerprint: str
    verifier: str
    threads: int = 2


def calibrate_catalogue(
    workshop: Workshop, *, photos: int, seed: int, progress: Callable[[Progress], None]
) -> tuple[Calibration, Reliability]:
    """Return the calibration of this catalogue and how reliable it is. Nothing is written.

    The photos are drawn from views whose original or thumbnail is kept. The shipped calibration is the prior: where
    the catalogue says little, it counts.

    Args:
        workshop: what to work with.
        photos: to take; each is a trial with its work enrolled and one without it.
        seed: the same seed and catalogue give the same photos.
        progress: told of every few photos.

    Raises:
        BadRequest: the catalogue has too few pictures to calibrate on.
        StoreError: the catalog did not answer.
    """
    views = _views(workshop)
    drawn = sample(views, photos, seed=seed)
    decoder = ImageDecoder()
    trials: list[Trial] = []
    pictures = run_trials(
        workshop.recognizer,
        drawn,
        lambda view: kept_preview(workshop.blobs, decoder, view, side=PREVIEW_SIDE),
        seed=seed,
        twins=_twins(workshop.catalog),
        threads=workshop.threads,
    )
    for done, some in enumerate(pictures, 1):
        trials.extend(some)
        progress(Progress("calibrate", done, len(drawn)))
    if not trials:
        raise BadRequest("the catalogue keeps no pictures to calibrate on: thumbnails are made unless switched off")
    # simulated cameras are not aimed, and no enrolled work hangs beside the one that they see
    fitted, reliability = calibrate(trials, default_calibration(), held=AIM_INPUTS)
    return _signed(fitted, workshop, reliability, seed=seed, views=len(views)), reliability


def document(calibration: Calibration) -> str:
    """Return a calibration as JSON. See `arthur.calibration.kept.parse_calibration`."""
    return json.dumps(asdict(calibration), indent=2)


def _signed(fitted: Calibration, workshop: Workshop, reliability: Reliability, *, seed: int, views: int) -> Calibration:
    curve: dict[str, JsonValue] = {
        "predicted": [round(value, 4) for value in reliability.predicted],
        "observed": [round(value, 4) for value in reliability.observed],
        "counts": list(reliability.counts),
    }
    return replace(
        fitted,
        fingerprint=workshop.fingerprint,
        verifier=workshop.verifier,
        for_catalogue=True,
        provenance={
            "script": "arthur calibrate",
            "seed": seed,
            "views": views,
            "catalog_seq": workshop.catalog.latest(),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "held_out": reliability.members(),
            "reliability": curve,
        },
    )


def _views(workshop: Workshop) -> Sequence[StoredView]:
    """Return every live view that this engine has embedded, in order of their keys."""
    views: dict[int, StoredView] = {}
    since, more = 0, True
    while more:
        changes = workshop.catalog.changes(since, _PAGE, workshop.fingerprint)
        since, more = changes.upto, changes.more
        views.update(workshop.catalog.views(changes.keys))
    return [views[key] for key in sorted(views)]


def _twins(catalog: Catalog) -> dict[Entry, set[Entry]]:
    """Return the entries that hold the same picture as another, by that one."""
    twins: dict[Entry, set[Entry]] = {}
    cursor: str | None = None
    while True:
        page = catalog.likenesses("duplicate", cursor=cursor, limit=_TWINS)
        for pair in page.rows:
            one, other = ((stored.view.artist_id, stored.view.entry_id) for stored in (pair.newer, pair.older))
            twins.setdefault(one, set()).add(other)
            twins.setdefault(other, set()).add(one)
        cursor = page.next_cursor
        if cursor is None:
            return twins
