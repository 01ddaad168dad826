"""A run asks everyone the same, takes works out and puts them back, and keeps what was said."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from bench.accuracy.exam import Exam
from bench.accuracy.run import Entrant, run


@pytest.fixture
def rows(exam: Exam) -> Callable[..., pl.DataFrame]:
    def ask(*entrants: Entrant, sizes: tuple[int, ...] = (4,), seed: int = 0) -> pl.DataFrame:
        return pl.DataFrame(list(run(exam, entrants, sizes=sizes, seed=seed, say=lambda _: None)))

    return ask


def test_every_system_answers_every_photo_in_the_same_order(rows: Callable[..., pl.DataFrame], rote: type) -> None:
    found = rows(Entrant("one", rote()), Entrant("two", rote()))
    orders = found.group_by("system", maintain_order=True).agg("photo")["photo"].to_list()
    assert orders[0] == orders[1]
    assert len(set(orders[0])) == 7


def test_the_order_is_the_seed_s(rows: Callable[..., pl.DataFrame], rote: type) -> None:
    orders = [rows(Entrant("one", rote()), seed=seed)["photo"].to_list() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_ranks_are_those_of_the_first_right_answer(rows: Callable[..., pl.DataFrame], rote: type) -> None:
    found = rows(Entrant("one", rote()))
    ranks = dict(found.select("photo", "rank").iter_rows())
    assert ranks == {f"known-{n}": 1 for n in range(4)} | {"other": 0, "left-0": 0, "left-1": 0}
    assert found.filter(pl.col("known"))["decision"].unique().to_list() == ["match"]


def test_a_work_is_out_exactly_while_its_photos_are_asked(rows: Callable[..., pl.DataFrame], rote: type) -> None:
    system = rote()
    rows(Entrant("one", system))
    start = system.calls.index("forget a/2")
    assert system.calls[start : start + 4] == ["forget a/2", "query a/2", "query a/2", "enroll a/2"]
    assert sorted(system.works) == ["a/0", "a/1", "a/2", "a/3"]


def test_larger_catalogues_add_the_distractors(rows: Callable[..., pl.DataFrame], rote: type) -> None:
    found = rows(Entrant("one", rote()), sizes=(4, 6))
    most = found.group_by("size", maintain_order=True).agg(pl.col("ranked").list.len().max())
    assert most.rows() == [(4, 4), (6, 6)]
    assert found["photo"].value_counts()["count"].unique().to_list() == [2]


def test_a_spent_budget_ends_the_questions(rows: Callable[..., pl.DataFrame], rote: type) -> None:
    slow, quick = Entrant("slow", rote(costs=200_000), budget_s=1e-3), Entrant("quick", rote())
    asked = dict(rows(slow, quick)["system"].value_counts().iter_rows())
    assert asked["quick"] == 7
    assert 1 <= asked["slow"] < 7


def test_cost_and_storage_stand_beside_each_answer(rows: Callable[..., pl.DataFrame], rote: type) -> None:
    found = rows(Entrant("one", rote(costs=100_000)), Entrant("knows", rote(knows=True)))
    own, known = (found.filter(pl.col("system") == name) for name in ("one", "knows"))
    assert own.filter(pl.col("cpu_ms") <= 0).is_empty()
    assert own["bytes_a_work"].unique().to_list() == [10.0]
    assert own["enrol_cpu_ms"].null_count() == 0
    assert known["enrol_cpu_ms"].null_count() == known.height
