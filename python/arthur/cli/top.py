"""`arthur top`: a running server, live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.options import Json
from arthur.cli.output import emit
from arthur.errors import ArthurError, FetchError, Unauthorized

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from arthur.cli.glance import Glance, Reading, Times

_TIMEOUT_S = 5.0


def top(
    *,
    server: Annotated[str, typer.Option(help="Address of the server.")] = "http://127.0.0.1:9000",
    key: Annotated[
        str | None, typer.Option(envvar="ARTHUR_KEY", help="API key of scope read.", show_default=False)
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look for that long, show it, and end.")] = False,
    json: Json = False,
) -> None:
    """Show what a running server does: requests, decisions, stages, queue, indices; Ctrl-C ends it.

    With --json one line for each look.
    """
    with _scraping(server, key) as scrape:
        looks = _looks(scrape, every)
        if once:
            shown = next(looks)
            if isinstance(shown, ArthurError):
                raise shown
            _print(shown, json=json)
        elif json:
            for shown in looks:
                emit({"error": str(shown)} if isinstance(shown, ArthurError) else _document(shown))
        else:
            _live(looks, server)


@contextmanager
def _scraping(server: str, key: str | None) -> Iterator[Callable[[], Reading]]:
    """Yield a function that reads the server's numbers; it raises FetchError or Unauthorized."""
    import httpx

    from arthur.cli.glance import Reading

    headers = {"accept": "text/plain"} | ({"authorization": f"Bearer {key}"} if key else {})

    def scrape() -> Reading:
        try:
            answer = client.get("/metrics")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(f"{server} does not answer: {error}") from error
        if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise Unauthorized("the server wants an API key of scope read: give it with --key or ARTHUR_KEY")
        if answer.status_code != HTTPStatus.OK:
            raise FetchError(f"{server}/metrics answers {answer.status_code}")
        return Reading(answer.text, time.monotonic())

    with httpx.Client(base_url=server, headers=headers, timeout=_TIMEOUT_S) as client:
        yield scrape


def _looks(scrape: Callable[[], Reading], every_s: float) -> Iterator[Glance | ArthurError]:
    """Yield what happened in each stretch of time, or why that cannot be told, without end."""
    from arthur.cli.glance import glance

    before: Reading | None = None
    while True:
        try:
            if before is None:
                before = scrape()
            time.sleep(every_s)
            now = scrape()
        except ArthurError as error:
            before = None
            yield error
            time.sleep(every_s)
            continue
        yield glance(before, now)
        before = now


def _document(shown: Glance) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(shown)


def _print(shown: Glance, *, json: bool) -> None:
    from rich.console import Console

    if json:
        emit(_document(shown))
    else:
        Console().print(_drawn(shown))


def _live(looks: Iterator[Glance | ArthurError], server: str) -> None:
    """Draw each look in the place of the one before, until Ctrl-C."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()
    first = Text(f"looking at {server} ...")
    with Live(first, console=console, screen=console.is_terminal, auto_refresh=False) as live:
        try:
            for shown in looks:
                drawn = Text(str(shown), style="red") if isinstance(shown, ArthurError) else _drawn(shown)
                live.update(drawn, refresh=True)
        except KeyboardInterrupt:
            return


def _drawn(shown: Glance) -> RenderableType:
    from rich.columns import Columns
    from rich.console import Group

    tables = [_facts(shown), _shares("answers", shown.statuses), _shares("decisions", shown.decisions)]
    if shown.problems:
        tables.append(_shares("errors told", shown.problems))
    return Group(Columns(tables), _stages(shown))


def _facts(shown: Glance) -> Table:
    table = _table("Arthur " + shown.version, shown.engine)
    catalog = ", ".join(f"{count} {name}" for name, count in shown.catalog.items())
    facts = {
        "web processes": str(shown.workers),
        "requests": f"{shown.requests:.1f}/s",
        "places taken": f"{shown.admitted} of {shown.places}",
        "pictures waiting": str(shown.queued),
        "mean batch": _told(shown.mean_batch, ".1f"),
        "cache hits": _told(shown.cache_hits, ".0%"),
        "catalogue": f"{catalog}, sequence {shown.sequence}",
        **{f"{name} behind": str(count) for name, count in shown.behind.items()},
        "does not answer": ", ".join(shown.down) or "nothing",
        **{url: "asked" if up else "out" for url, up in shown.embedders.items()},
    }
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def _shares(title: str, counts: Mapping[str, float]) -> Table:
    table = _table(title, "a second")
    for name, per_s in counts.items():
        table.add_row(name, f"{per_s:.1f}")
    return table


def _stages(shown: Glance) -> Table:
    table = _table("stage", "a second", "mean ms", "50 % ms", "95 % ms")
    for name, times in {**shown.stages, "request": shown.match}.items():
        table.add_row(name, *_times(times))
    return table


def _times(times: Times) -> tuple[str, ...]:
    milliseconds = (times.mean_ms, times.p50_ms, times.p95_ms)
    return (f"{times.per_s:.1f}", *(_told(one, ".1f") for one in milliseconds))


def _told(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _table(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    return table
