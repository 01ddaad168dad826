"""What a recognizer says about its parts; one that does not answer is told as None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TypeVar

import orjson

from arthur.encode.batch import Batched
from arthur.encode.calls import BatchStats
from arthur.errors import StoreError
from arthur.recognition.model import Model
from arthur.recognition.parts import ClearableIndex, ClearableLocalIndex
from arthur.types import JsonValue

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Pulse:
    """What changes from one moment to the next.

    Attributes:
        sequences: up to which sequence an index that answers has all, by its name in `status`.
        queue: what the engine's queue has done since the engine was opened; None where the engine has no queue here.
    """

    sequences: Mapping[str, int]
    queue: BatchStats | None


def pulse_of(model: Model) -> Pulse:
    """Feel the pulse, in microseconds where the indices are files."""
    parts = model.parts
    asked = {"index": _or_none(lambda: parts.index.sequence)}
    if (local := parts.local) is not None:
        asked["local_index"] = _or_none(lambda: local.index.sequence)
    queue = parts.encoder.stats() if isinstance(parts.encoder, Batched) else None
    return Pulse({name: sequence for name, sequence in asked.items() if sequence is not None}, queue)


def state_of(model: Model) -> dict[str, JsonValue]:
    """Return counts, sequences and the state of each part; one that does not answer is None and `degraded`."""
    parts = model.parts
    states = {
        "counts": _or_none(lambda: dict(asdict(parts.catalog.counts()))),
        "index": _or_none(partial(_index, parts.index)),
    }
    if parts.standby is not None:
        states["standby_index"] = _or_none(partial(_index, parts.standby))
    if parts.local is not None:
        states["local_index"] = _or_none(partial(_index, parts.local.index))
    passport = model.spec.passport
    return {
        "engine": model.spec.label,
        "passport": None if passport is None else {"id": passport.id, **orjson.loads(passport.document)},
        "verifier": None if parts.local is None else parts.local.verifier.fingerprint,
        "calibrated": parts.calibration.for_catalogue,
        "calibration_stale": parts.stale,
        "catalog_seq": _or_none(parts.catalog.latest),
        **states,
        "degraded": ["catalog" if name == "counts" else name for name, state in states.items() if state is None],
    }


def _index(index: ClearableIndex | ClearableLocalIndex) -> dict[str, JsonValue]:
    return {**index.stats(), "views": len(index), "sequence": index.sequence}


def _or_none(ask: Callable[[], Answer]) -> Answer | None:
    try:
        return ask()
    except StoreError:
        return None
