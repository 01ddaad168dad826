import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur.decision import (
    NOT_CALIBRATED,
    TOO_CLOSE,
    TOO_FAR,
    Calibration,
    decide,
    default_calibration,
    load_calibration,
)
from arthur.errors import ConfigError

SHIPPED = default_calibration()
cosines = st.floats(-1, 1)
limits = st.floats(0.0001, 0.9999)


@given(cosines, cosines, cosines, cosines)
def test_probability_grows_with_the_score_and_falls_with_the_rival(one: Any, two: Any, three: Any, four: Any) -> None:
    (low, high), (weak, strong) = sorted((one, two)), sorted((three, four))
    assert SHIPPED.probability(low, strong) <= SHIPPED.probability(high, weak)


@given(cosines, cosines, st.floats(0, 1), st.floats(0, 1))
def test_probability_grows_with_score_and_margin(one: Any, two: Any, three: Any, four: Any) -> None:
    (low, high), (near, far) = sorted((one, two)), sorted((three, four))
    assert SHIPPED.probability(low, low - near) <= SHIPPED.probability(high, high - far) + 1e-12


@given(st.lists(cosines, max_size=10), limits)
def test_a_match_keeps_the_promise(scores: Any, limit: Any) -> None:
    decision = decide(sorted(scores, reverse=True), SHIPPED, max_false_accept=limit)
    assert (decision.kind == "match") == (1 - decision.probability <= limit and bool(scores))


@given(st.lists(cosines, min_size=1, max_size=10), limits)
def test_probabilities_fall_and_add_up(scores: Any, limit: Any) -> None:
    decision = decide(sorted(scores, reverse=True), SHIPPED, max_false_accept=limit)
    first, *rest = decision.probabilities
    assert first == decision.probability
    assert rest == sorted(rest, reverse=True)
    assert all(one <= 1 - first for one in rest)


@given(cosines, cosines, cosines)
def test_a_better_score_never_weakens_the_decision(score: Any, better: Any, other: Any) -> None:
    rank = {"no_match": 0, "unsure": 1, "match": 2}
    low, high = sorted((max(score, other), max(better, other)))
    kinds = [decide([best, other], SHIPPED, max_false_accept=0.01).kind for best in (low, high)]
    assert rank[kinds[0]] <= rank[kinds[1]]


def test_a_copy_of_the_only_work_is_a_match() -> None:
    assert decide([1.0], SHIPPED, max_false_accept=0.001).kind == "match"


def test_another_picture_is_no_match_with_the_only_work() -> None:
    assert decide([SHIPPED.lone_rival], SHIPPED, max_false_accept=0.001).kind == "no_match"


def test_nothing_to_compare_is_no_match() -> None:
    assert decide([], SHIPPED, max_false_accept=0.01).kind == "no_match"


def test_an_unlikely_entry_is_no_match() -> None:
    assert decide([0.0, 0.0], SHIPPED, max_false_accept=0.001).kind == "no_match"


def test_a_certain_entry_is_a_match() -> None:
    assert decide([1.0, 0.0], SHIPPED, max_false_accept=0.001).kind == "match"


def test_a_rival_is_named_as_the_doubt() -> None:
    steep = Calibration(-10.0, 12.0, 10.0, 0.0)
    decision = decide([0.9, 0.9], steep, max_false_accept=0.001)
    assert (decision.kind, decision.reasons[0]) == ("unsure", TOO_CLOSE)


def test_a_middling_score_is_named_as_the_doubt() -> None:
    decision = decide([0.8, 0.3], Calibration(-10.0, 12.0, 3.0, 0.0), max_false_accept=0.001)
    assert (decision.kind, decision.reasons[0]) == ("unsure", TOO_FAR)


def test_an_uncalibrated_answer_says_so() -> None:
    assert NOT_CALIBRATED in decide([1.0, 0.0], SHIPPED, max_false_accept=0.01).reasons


def test_a_calibrated_answer_does_not() -> None:
    own = Calibration(-10.0, 20.0, 20.0, 0.0, for_catalogue=True)
    assert decide([1.0, 0.0], own, max_false_accept=0.01).reasons == ()


def test_the_shipped_numbers_say_where_they_come_from() -> None:
    assert {"script", "queries", "seed", "engine"} <= SHIPPED.provenance.keys()


@pytest.mark.parametrize("wrong", [{"score_weight": -1.0}, {"lead_weight": -0.1}, {"intercept": float("nan")}])
def test_meaningless_numbers_are_refused(wrong: Any) -> None:
    numbers = {"intercept": 0.0, "score_weight": 1.0, "lead_weight": 1.0, "lone_rival": 0.0}
    with pytest.raises(ConfigError):
        Calibration(**(numbers | wrong))


def _text(intercept: Any, fingerprint: Any) -> Any:
    return json.dumps(
        {"intercept": intercept, "score_weight": 1.0, "lead_weight": 1.0, "lone_rival": 0.0}
        | {"fingerprint": fingerprint}
    )


def test_the_catalogues_own_calibration_comes_first(tmp_path: Any) -> None:
    (tmp_path / "decision.json").write_text(_text(2.0, "f"))
    found = load_calibration(_text(1.0, "f"), tmp_path / "decision.json", fingerprint="f")
    assert found.intercept == 1.0


def test_the_engines_calibration_comes_second(tmp_path: Any) -> None:
    (tmp_path / "decision.json").write_text(_text(2.0, "f"))
    assert load_calibration(_text(1.0, "old"), tmp_path / "decision.json", fingerprint="f").intercept == 2.0


def test_without_either_the_shipped_numbers_are_taken(tmp_path: Any) -> None:
    assert load_calibration(None, tmp_path / "decision.json", fingerprint="f") == SHIPPED


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"intercept": "x"}'])
def test_an_unreadable_calibration_is_named(text: Any, tmp_path: Any) -> None:
    (tmp_path / "decision.json").write_text(text)
    with pytest.raises(ConfigError, match=r"decision\.json"):
        load_calibration(None, tmp_path / "decision.json", fingerprint="f")
