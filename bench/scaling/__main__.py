"""Plan a large catalogue: curves, topology, memory, disk, money and latency, from the committed rows of the benches.

    python -m bench.scaling [--views 10000000 100000000] [--rate 100] [--goal-ms 500] [--machines FILE]
    python -m bench.scaling --write docs/scaling.md

Nothing is measured by it: the rows in `bench/results` are fitted and extended, and a query's path is simulated with
photos, searches and votes drawn from them. `--write` puts the tables between the markers of a page.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.record import RESULTS
from bench.scaling.machines import USUAL, read_market
from bench.scaling.measured import read_measured
from bench.scaling.plan import Wish
from bench.scaling.report import LOCALS, Report

VIEWS = (10_000_000, 100_000_000, 1_000_000_000)
LEAST = 10_000
"""Views below which no curve was measured."""
BEGIN, END = "<!-- tables: python -m bench.scaling --write docs/scaling.md -->", "<!-- end of tables -->"


def usual_tables() -> str:
    """Return the tables of the documentation."""
    return str(Report(Wish(VIEWS[0]), VIEWS, (read_measured(), read_market())))


def written(page: str, tables: str) -> str:
    """Return the page with the tables between its markers.

    Raises:
        ValueError: it has no markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


def main() -> None:
    """Print the tables, or write them into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = Wish(VIEWS[0])
    parser.add_argument("--views", type=int, nargs="+", default=VIEWS, help="sizes of the catalogue")
    parser.add_argument("--rate", type=float, default=usual.rate, help="queries a second at the busiest time")
    parser.add_argument("--goal-ms", type=float, default=usual.goal_ms, help="for 99 %% of the answers")
    parser.add_argument("--replicas", type=int, default=usual.replicas, help="copies of each part of an index")
    parser.add_argument("--dim", type=int, default=usual.dim, help="values of a vector")
    parser.add_argument("--network-ms", type=float, default=usual.network_ms, help="round trip between machines")
    parser.add_argument("--original-bytes", type=int, default=0, help="kept of each picture")
    parser.add_argument("--encode-ms", type=float, default=None, help="processor time of another engine for a photo")
    parser.add_argument("--photos", choices=("drawn", "real"), default=usual.photos, help="whose stages are drawn from")
    parser.add_argument("--local", choices=LOCALS, default=None, help="where the local index is")
    parser.add_argument("--machines", type=Path, default=USUAL, help="types, roles and prices, like machines.toml")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of measured rows")
    parser.add_argument("--queries", type=int, default=2000, help="simulated in each run")
    parser.add_argument("--write", type=Path, default=None, help="page whose tables are made anew")
    given = parser.parse_args()
    if min(given.rate, given.goal_ms, given.replicas, given.dim, given.queries) <= 0 or min(given.views) < LEAST:
        parser.error(f"rate, goal, replicas, dim and queries are above 0, and views at least {LEAST}")
    wish = Wish(
        given.views[0],
        given.rate,
        given.goal_ms,
        given.replicas,
        given.dim,
        given.network_ms,
        given.original_bytes,
        given.encode_ms,
        given.photos,
    )
    try:
        known = (read_measured(given.results), read_market(given.machines))
        tables = str(Report(wish, given.views, known, local=given.local, queries=given.queries))
        if given.write:
            given.write.write_text(written(given.write.read_text(), tables))
    except (OSError, ValueError) as wrong:
        parser.error(str(wrong))
    if not given.write:
        print(tables)


if __name__ == "__main__":
    main()
