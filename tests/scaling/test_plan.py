"""The plan follows from the rows and the machines that it is given, and the page shows what it says today."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.scaling.__main__ import BEGIN, END, usual_tables, written
from bench.scaling.machines import USUAL, Market, read_market
from bench.scaling.measured import Measured, read_measured
from bench.scaling.path import Path as QueryPath
from bench.scaling.plan import Wish, best_local, laid_out, machines_of, month

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def known() -> tuple[Measured, Market]:
    return read_measured(), read_market()


def test_the_tables_of_the_page_are_those_of_the_committed_rows() -> None:
    page = (ROOT / "docs" / "scaling.md").read_text()

    assert written(page, usual_tables()) == page, "run python -m bench.scaling --write docs/scaling.md"


def test_a_million_views_fit_into_the_api_machines(known: tuple[Measured, Market]) -> None:
    found = laid_out(Wish(1_000_000), *known, local="whole")

    assert (found.index, found.index_groups, found.local_groups) == ("usearch", 0, 0)


def test_what_does_not_fit_into_memory_is_parted(known: tuple[Measured, Market]) -> None:
    found = laid_out(Wish(10**9), *known, local="sharded")
    memory = known[1].roles["index"].data_bytes

    assert found.index_bytes / found.index_groups <= memory < found.index_bytes / (found.index_groups - 1)
    assert found.local_bytes / found.local_groups <= memory


def test_a_local_index_that_is_too_slow_is_left_out(known: tuple[Measured, Market]) -> None:
    assert best_local(Wish(1_000_000), *known) == "whole"
    assert best_local(Wish(1_000_000, goal_ms=10), *known) == "off"


def test_more_queries_want_more_machines_and_money(known: tuple[Measured, Market]) -> None:
    wish = Wish(1_000_000, rate=3000)
    topology = laid_out(wish, *known, local="off")
    few, many = (
        QueryPath(replace(wish, rate=rate), topology, known, queries=500).machines() for rate in (3000, 30_000)
    )

    assert few is not None
    assert many is not None
    assert few[0] < many[0]
    costs = [month(topology, machines_of(wish, topology, count), known[1]) for count in (few[0], many[0])]
    assert costs[0] < costs[1]


def test_a_goal_below_the_work_itself_is_out_of_reach(known: tuple[Measured, Market]) -> None:
    wish = Wish(1_000_000, goal_ms=1)

    assert QueryPath(wish, laid_out(wish, *known, local="off"), known, queries=500).machines() is None


def test_other_prices_make_another_bill(tmp_path: Path, known: tuple[Measured, Market]) -> None:
    dearer = tmp_path / "ours.toml"
    dearer.write_text(USUAL.read_text().replace("price_hour = 0.6528", "price_hour = 6.528"))
    topology = laid_out(Wish(1_000_000), *known, local="off")
    counts = machines_of(Wish(1_000_000), topology, 2)

    assert month(topology, counts, read_market(dearer)) > 9 * month(topology, counts, known[1])


def test_a_file_of_machines_without_a_role_is_refused(tmp_path: Path) -> None:
    lacking = tmp_path / "ours.toml"
    lacking.write_text(USUAL.read_text().replace('index = "general"', ""))

    with pytest.raises(ValueError, match="'index' is missing"):
        read_market(lacking)


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        written("# A page", "tables")

    assert written(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\n\nnew\n\n{END}\nb"


def test_the_command_takes_sizes_and_rates() -> None:
    command = [sys.executable, "-m", "bench.scaling", "--views", "2000000", "--rate", "20", "--queries", "200"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert "| API machines for 20 queries/s |" in done.stdout
    assert "| 2 M |" in done.stdout
