"""What counts as a changed answer, and which photos are asked."""

from __future__ import annotations

import pytest

from arthur.errors import EngineError
from arthur.jobs.shadow import Answer, Flip, Photo, compared, simulated, summary
from arthur.recognizer import Recognizer
from tests.models import House, ModelCatalog, picture

RIGHT, WRONG = Answer("match", "a", "e1"), Answer("match", "a", "e2")
UNSURE, GUESS = Answer("unsure", "a", "e1"), Answer("unsure", "a", "e2")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (RIGHT, RIGHT, "same"),
        (RIGHT, WRONG, "other_entry"),
        (RIGHT, UNSURE, "other_decision"),
        (UNSURE, GUESS, "same"),
        (RIGHT, Answer("failed"), "failed"),
    ],
)
def test_an_answer_changes_with_its_decision_or_its_match(before: Answer, after: Answer, change: str) -> None:
    assert Flip("photo", None, before, after).change == change


def test_a_summary_counts_what_is_known_to_be_right() -> None:
    truth = ("a", "e1")
    flips = [Flip("1", truth, RIGHT, WRONG), Flip("2", truth, UNSURE, RIGHT), Flip("3", None, RIGHT, RIGHT)]
    told = summary(flips, before="b", after="a")
    assert told["changes"] == {"other_entry": 1, "other_decision": 1, "same": 1}
    assert [told[name] for name in ("known", "right_before", "right_after", "wrong_before", "wrong_after")] == [
        2,
        1,
        1,
        0,
        1,
    ]


def test_simulated_photos_are_of_live_views_that_have_pictures() -> None:
    house = House(ModelCatalog())
    for seed in range(5):
        house.enroll(
            f"a/e{seed}/main",
            seed,
        )
    house.recognizer.forget("a", "e1")
    photos = list(simulated(house.catalog, house.blobs, count=10, seed=1))  # type: ignore[arg-type]  # models
    assert sorted(photo.truth[1] for photo in photos if photo.truth) == ["e0", "e2", "e3", "e4"]


def test_a_photo_that_one_engine_cannot_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = House(ModelCatalog()), House(ModelCatalog())
    one.enroll("a/e1/main", 1)

    def fails(*_: object) -> None:
        raise EngineError("broken")

    monkeypatch.setattr(other.recognizer, "recognize", fails)
    recognizers: tuple[Recognizer, Recognizer] = (one.recognizer, other.recognizer)
    (flip,) = compared([Photo("p", picture(1))], *recognizers)
    assert (flip.before.entry_id, flip.change) == ("e1", "failed")
