"""Raw rows of a run as trials, each counting as often as what it shows is met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType

import polars as pl

from arthur.calibration.trials import Look, Trial
from arthur.decision import Signs
from arthur.recognition.cascade import STEPS

SHARES: Mapping[str, float] = MappingProxyType({"series": 0.01, "beside": 0.05})
"""Of photos of nothing enrolled, those of another painting of an enrolled series and those with enrolled works around:
they are photographed far more often, to see many kinds of them, and count less. Of 1,176 museum paintings, covers and
paintings of one artist, about 6 have such a sibling."""
AIMED = 0.95
"""Of photos of enrolled works, those whose middle lies on the work: people aim. Simulated cameras stand anywhere, so
the others count less. Of 296 real photos it is 280."""
_SIGNS = tuple(field.name for field in fields(Signs))


def joined(rows: pl.DataFrame) -> list[Trial]:
    """Return the trials of a run's rows."""
    counts, aside = counted(rows), _aside(rows)
    weight = _share_counted(len(aside), rows.filter(kind="known")["trial"].n_unique(), 1 - AIMED)
    trials = []
    for (number, kind, severity), part in rows.group_by("trial", "kind", "severity", maintain_order=True):
        looks = []
        for (step,), entries in part.group_by("step", maintain_order=True):
            signs = tuple(Signs(**row) for row in entries.select(_SIGNS).iter_rows(named=True))
            right = entries["right"].arg_true().to_list()
            looks.append(Look(str(step), signs, right[0] if right else None))
        count = weight if number in aside else counts[str(kind)]
        trials.append(Trial(int(str(severity)), kind == "known", tuple(looks), count))
    return trials


def _aside(rows: pl.DataFrame) -> set[object]:
    """Return the trials whose work was found beside the middle of the photo."""
    found = rows.filter(pl.col("right") & (pl.col("step") == STEPS[-1]) & (pl.col("off_middle") > 0))
    return set(found["trial"])


def _share_counted(some: int, whole: int, share: float) -> float:
    """Return as how many each of `some` must count, so that together they are such a share of the whole."""
    return share / (1 - share) * (whole - some) / some if some else 1.0


def counted(rows: pl.DataFrame) -> dict[str, float]:
    """Return as how many photos one of each kind counts."""
    photos = dict(rows.group_by("kind").agg(pl.col("trial").n_unique()).iter_rows())
    unknown = sum(photos.values()) - photos.get("known", 0)
    named = {kind: share for kind, share in SHARES.items() if kind in photos}
    others = unknown - sum(photos[kind] for kind in named)
    whole = others / (1 - sum(named.values()))
    return {kind: named[kind] * whole / number if kind in named else 1.0 for kind, number in photos.items()}
