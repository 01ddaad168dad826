"""Claims about trials: which answers count as right."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from arthur.calibration.trials import Look, run_trials
from arthur.decision import Signs
from arthur.recognition.sighting import Sighting
from arthur.types import StoredView, ViewId

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stored(entry: str) -> StoredView:
    return StoredView(
        key=ord(entry),
        view=ViewId("a", entry, "main"),
        vector_id=entry,
        content_hash=entry,
        source="",
        format="jpeg",
        width=64,
        height=64,
        size_bytes=1,
        metadata={},
        created_at=NOW,
        updated_at=NOW,
    )


class Looker:
    """Sees x, y and z in every photo, in this order."""

    def observe(self, image: bytes) -> list[tuple[str, list[Sighting]]]:
        assert image
        seen = [Sighting(stored(entry), Signs(score)) for entry, score in (("x", 0.9), ("y", 0.8), ("z", 0.5))]
        return [("scores", seen)]


def looks(of: str, twins: Any) -> Any:
    art = np.full((64, 64, 3), 128, np.uint8)
    looker: Any = Looker()
    ((known, unknown),) = run_trials(looker, [stored(of)], lambda _view: art, seed=1, twins=twins)
    assert (known.known, unknown.known) == (True, False)
    return known.looks[0], unknown.looks[0]


def test_the_second_trial_is_without_the_entry() -> None:
    known, unknown = looks("y", {})
    assert known == Look("scores", (Signs(0.8), Signs(0.9), Signs(0.5)), 0)
    assert unknown == Look("scores", (Signs(0.9), Signs(0.5)), None)


def test_a_twin_is_right_too_and_left_out_with_it() -> None:
    known, unknown = looks("y", {("a", "y"): {("a", "x")}})
    assert known == Look("scores", (Signs(0.9), Signs(0.5)), 0)
    assert unknown == Look("scores", (Signs(0.5),), None)
