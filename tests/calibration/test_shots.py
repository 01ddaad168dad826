"""The photos that the shipped decision is fitted on, and as how many they count."""

import polars as pl
import pytest

from bench.decision.photos import KINDS, OPEN_SET, is_cover, shots
from bench.decision.rows import AIMED, SHARES, counted, joined


def test_every_kind_is_photographed_at_every_severity() -> None:
    taken = shots(50, 100, 4 * len(OPEN_SET), seed=1)
    assert {(shot.kind, shot.severity) for shot in taken} == {(kind, n) for kind in KINDS for n in (1, 2, 3, 4)}


def test_no_two_photos_are_the_same() -> None:
    taken = shots(50, 120, 5 * len(OPEN_SET), seed=1)
    assert len({shot.name for shot in taken}) == len(taken)


def test_more_photos_are_the_same_ones_and_others() -> None:
    assert shots(50, 20, 30, seed=1)[20:] == shots(50, 20, 60, seed=1)[20:50]


@pytest.mark.parametrize("kind", ["cover", "series", "artist"])
def test_a_sibling_is_of_a_work_of_its_own_kind(kind: str) -> None:
    related = [shot.work for shot in shots(50, 0, 60, seed=1) if shot.kind == kind]
    assert {is_cover(work) for work in related} == {kind == "cover"}


def test_rare_kinds_count_for_their_share() -> None:
    kinds = ["known"] * 5 + ["artist"] * 94 + ["series"] * 20 + ["beside"] * 30
    counts = counted(pl.DataFrame({"kind": kinds, "trial": range(len(kinds))}))
    unknown = {kind: counts[kind] * kinds.count(kind) for kind in ("artist", "series", "beside")}
    assert unknown["artist"] == kinds.count("artist")
    for kind, share in SHARES.items():
        assert unknown[kind] / sum(unknown.values()) == pytest.approx(share)


def test_works_beside_the_middle_of_the_photo_count_as_often_as_people_miss() -> None:
    signs = dict.fromkeys(("score", "coverage", "support", "central", "agreement", "typical"), 0.5) | {"inliers": 9}
    one = {"kind": "known", "severity": 1, "step": "rechecked", "right": True, **signs}
    rows = [{"trial": place, **one, "off_middle": 0.1 if place < 8 else 0.0} for place in range(20)]
    counts = [trial.count for trial in joined(pl.DataFrame(rows))]
    assert sum(counts[8:]) / sum(counts) == pytest.approx(AIMED)
