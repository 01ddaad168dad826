import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur.calibration.kept import default_calibration, load_calibration
from arthur.decision import (
    GEOMETRY_INPUTS,
    LITTLE_VISIBLE,
    NOT_CALIBRATED,
    SCORE_INPUTS,
    TOO_CLOSE,
    TOO_FAR,
    Calibration,
    Logistic,
    Signs,
    decide,
)
from arthur.errors import ConfigError

SHIPPED = default_calibration()
cosines = st.floats(-1, 1)
limits = st.floats(0.0001, 0.9999)
plain = st.builds(Signs, cosines)
shares = st.floats(0, 1)
verified = st.builds(Signs, cosines, st.integers(0, 300), *[shares] * 3, *[st.none() | cosines] * 2, st.floats(0, 2))

TWINS = [Signs(0.5, inliers=count, coverage=0.5, central=1.0) for count in (60, 59)]


def scored(*scores: float) -> list[Signs]:
    return [Signs(score) for score in scores]


def calibration(intercept: float, score: float, lead: float, **more: Any) -> Calibration:
    """A calibration of scores; its geometry asks for proof."""
    by_geometry = Logistic(0.0, {"proof": 5.0})
    return Calibration(Logistic(intercept, {"score": score, "lead": lead}), by_geometry, 0.0, **more)


@given(cosines, cosines, cosines, cosines)
def test_probability_grows_with_the_score_and_falls_with_the_rival(one: Any, two: Any, three: Any, four: Any) -> None:
    (low, high), (weak, strong) = sorted((one, two)), sorted((three, four))
    assert SHIPPED.probability(Signs(low), [Signs(strong)]) <= SHIPPED.probability(Signs(high), [Signs(weak)])


@given(verified, verified, st.sampled_from(["score", "inliers", "coverage", "support", "central"]), st.floats(0, 1))
def test_no_stronger_sign_counts_against(signs: Any, rival: Any, name: Any, more: Any) -> None:
    value = getattr(signs, name)
    stronger = replace(signs, **{name: value + round(100 * more) if name == "inliers" else min(1.0, value + more)})
    assert SHIPPED.probability(signs, [rival]) <= SHIPPED.probability(stronger, [rival]) + 1e-12


@given(st.lists(plain, max_size=10) | st.lists(verified, max_size=10), limits)
def test_a_match_keeps_the_promise(entries: Any, limit: Any) -> None:
    decision = decide(entries, SHIPPED, max_false_accept=limit)
    assert (decision.kind == "match") == (1 - decision.probability <= limit and bool(entries))


@given(st.lists(plain | verified, min_size=1, max_size=10), limits)
def test_probabilities_fall_and_add_up(entries: Any, limit: Any) -> None:
    decision = decide(entries, SHIPPED, max_false_accept=limit)
    first, *rest = decision.probabilities
    assert first == decision.probability
    assert rest == sorted(rest, reverse=True)
    assert all(one <= 1 - first for one in rest)
    assert sorted(decision.order) == list(range(len(entries)))


@given(cosines, cosines, cosines)
def test_a_better_score_never_weakens_the_decision(score: Any, better: Any, other: Any) -> None:
    rank = {"no_match": 0, "unsure": 1, "match": 2}
    low, high = sorted((max(score, other), max(better, other)))
    kinds = [decide(scored(best, other), SHIPPED, max_false_accept=0.01).kind for best in (low, high)]
    assert rank[kinds[0]] <= rank[kinds[1]]


def test_geometry_outweighs_the_score() -> None:
    found, alike = Signs(0.4, inliers=80, coverage=0.7), Signs(0.9, inliers=0)
    decision = decide([alike, found], calibration(0.0, 1.0, 1.0), max_false_accept=0.01)
    assert (decision.kind, decision.order) == ("match", (1, 0))


def test_entries_nobody_looked_at_stand_behind() -> None:
    decision = decide([Signs(1.0), Signs(0.2, inliers=40, coverage=0.5)], SHIPPED, max_false_accept=0.01)
    assert decision.order == (1, 0)


def test_a_small_visible_part_is_named_as_the_doubt() -> None:
    decision = decide(
        [Signs(0.5, inliers=30, coverage=0.04, central=1.0)], calibration(0.0, 1.0, 1.0), max_false_accept=1e-6
    )
    assert (decision.kind, decision.reasons[0]) == ("unsure", LITTLE_VISIBLE)


def test_a_rival_with_as_many_inliers_is_named_as_the_doubt() -> None:
    decision = decide(TWINS, calibration(0.0, 1.0, 1.0), max_false_accept=1e-6)
    assert (decision.kind, decision.reasons[0]) == ("unsure", TOO_CLOSE)


def test_a_work_that_hangs_beside_it_is_no_rival() -> None:
    own = calibration(0.0, 1.0, 1.0)
    beside = decide(TWINS, own, max_false_accept=1e-6, apart=lambda _one, _other: True)
    alone = decide(TWINS[:1], own, max_false_accept=1e-6)
    assert beside.probability == alone.probability > decide(TWINS, own, max_false_accept=1e-6).probability


def test_of_works_side_by_side_the_most_certain_comes_first() -> None:
    near = Signs(0.5, inliers=60, coverage=0.5, support=0.2, central=1.0, agreement=0.6, typical=0.6)
    sure = Signs(0.5, inliers=50, coverage=0.5, support=0.9, central=1.0, agreement=0.98, typical=0.98)
    beside = decide([near, sure], SHIPPED, max_false_accept=0.01, apart=lambda _one, _other: True)
    assert beside.order == (1, 0)
    assert decide([near, sure], SHIPPED, max_false_accept=0.01).order == (0, 1)


def test_a_work_without_features_is_found_by_its_likeness() -> None:
    accident, plain = Signs(0.2, inliers=6, coverage=0.02, central=0.5), Signs(0.97, inliers=0)
    assert decide([accident, plain], SHIPPED, max_false_accept=0.01).order == (1, 0)


def test_a_copy_of_the_only_work_is_a_match() -> None:
    assert decide(scored(1.0), SHIPPED, max_false_accept=0.001).kind == "match"


def test_another_picture_is_no_match_with_the_only_work() -> None:
    assert decide(scored(SHIPPED.lone_rival), SHIPPED, max_false_accept=0.001).kind == "no_match"


def test_nothing_to_compare_is_no_match() -> None:
    assert decide([], SHIPPED, max_false_accept=0.01).kind == "no_match"


def test_an_unlikely_entry_is_no_match() -> None:
    assert decide(scored(0.0, 0.0), SHIPPED, max_false_accept=0.001).kind == "no_match"


def test_a_certain_entry_is_a_match() -> None:
    assert decide(scored(1.0, 0.0), SHIPPED, max_false_accept=0.001).kind == "match"


def test_a_rival_is_named_as_the_doubt() -> None:
    steep = calibration(-10.0, 12.0, 10.0)
    decision = decide(scored(0.9, 0.9), steep, max_false_accept=0.001)
    assert (decision.kind, decision.reasons[0]) == ("unsure", TOO_CLOSE)


def test_a_middling_score_is_named_as_the_doubt() -> None:
    decision = decide(scored(0.8, 0.3), calibration(-10.0, 12.0, 3.0), max_false_accept=0.001)
    assert (decision.kind, decision.reasons[0]) == ("unsure", TOO_FAR)


def test_an_uncalibrated_answer_says_so() -> None:
    assert NOT_CALIBRATED in decide(scored(1.0, 0.0), SHIPPED, max_false_accept=0.01).reasons


def test_a_calibrated_answer_does_not() -> None:
    own = calibration(-10.0, 20.0, 20.0, for_catalogue=True)
    assert decide(scored(1.0, 0.0), own, max_false_accept=0.01).reasons == ()


def test_the_shipped_numbers_say_where_they_come_from() -> None:
    assert {"script", "photos", "seed", "engine"} <= SHIPPED.provenance.keys()


@pytest.mark.parametrize("numbers", [(0.0, {"score": -1.0}), (0.0, {"lead": float("inf")}), (float("nan"), {})])
def test_meaningless_numbers_are_refused(numbers: Any) -> None:
    with pytest.raises(ConfigError):
        Logistic(*numbers)


def _text(intercept: Any, fingerprint: Any, verifier: Any = "v") -> Any:
    both = SCORE_INPUTS, GEOMETRY_INPUTS
    by_score, by_geometry = ({"intercept": intercept, "weights": dict.fromkeys(inputs, 1.0)} for inputs in both)
    names = {"fingerprint": fingerprint, "verifier": verifier}
    return json.dumps({"by_score": by_score, "by_geometry": by_geometry, "lone_rival": 0.0} | names)


def _loaded(note: Any, folder: Any) -> Any:
    return load_calibration(note, folder / "decision.json", fingerprint="f", verifier="v")


def test_the_catalogues_own_calibration_comes_first(tmp_path: Any) -> None:
    (tmp_path / "decision.json").write_text(_text(2.0, "f"))
    assert _loaded(_text(1.0, "f"), tmp_path).by_score.intercept == 1.0


@pytest.mark.parametrize("stale", [("old", "v"), ("f", "old")])
def test_the_engines_calibration_comes_second(stale: Any, tmp_path: Any) -> None:
    (tmp_path / "decision.json").write_text(_text(2.0, "f"))
    assert _loaded(_text(1.0, *stale), tmp_path).by_score.intercept == 2.0


def test_without_either_the_shipped_numbers_are_taken(tmp_path: Any) -> None:
    assert _loaded(None, tmp_path) == SHIPPED


def test_a_calibration_over_other_inputs_is_passed_over(tmp_path: Any) -> None:
    note = json.loads(_text(1.0, "f"))
    note["by_geometry"]["weights"]["phase_of_the_moon"] = 1.0
    assert _loaded(json.dumps(note), tmp_path) == SHIPPED


def test_a_calibration_over_fewer_inputs_is_passed_over(tmp_path: Any) -> None:
    note = json.loads(_text(1.0, "f"))
    del note["by_geometry"]["weights"]["aim"]
    assert _loaded(json.dumps(note), tmp_path) == SHIPPED


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"by_score": "x"}', '{"by_score": {}, "by_geometry": {}}'])
def test_an_unreadable_calibration_is_named(text: Any, tmp_path: Any) -> None:
    (tmp_path / "decision.json").write_text(text)
    with pytest.raises(ConfigError, match=r"decision\.json"):
        _loaded(None, tmp_path)
