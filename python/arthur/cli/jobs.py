"""`arthur jobs`: what is being imported, by any program, and working on it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import answer
from arthur.cli.session import session

if TYPE_CHECKING:
    from arthur.catalog import JobBook
    from arthur.types import Job, JobState, JobWish

app = typer.Typer(help="Follow, steer and work on jobs.", no_args_is_help=True)
FOLLOW_S = 0.1
_LOOK_S = 0.5
_PAGE = 500

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, as `arthur jobs list` shows it.")]


@app.command("list")
def list_(
    *,
    live: Annotated[bool, typer.Option("--live", help="Only jobs that have not ended.")] = False,
    count: Annotated[int, typer.Option("-n", min=1, max=1000, help="Jobs wanted.")] = 20,
    data: Data = None,
    json: Json = False,
) -> None:
    """List jobs, newest first, and how far each is."""
    states: tuple[JobState, ...] = ("queued", "running", "paused") if live else ()
    with _book(data) as book:
        for job in book.jobs(before=None, limit=count, states=states):
            answer(job_row(job, _now_us()), job_line(job, _now_us()), json=json)


@app.command("show")
def show(job: JobId, *, data: Data = None, json: Json = False) -> None:
    """Show how far a job is, and what is in quarantine with its reason."""
    with _book(data) as book:
        found = book.job(job)
        answer(job_row(found, _now_us()), job_line(found, _now_us()), json=json)
        since = 0
        while rejects := book.rejects(job, since=since, limit=_PAGE):
            since = rejects[-1].number
            for one in rejects:
                row = {"number": one.number, "place": one.place, "error": one.reason, "retriable": one.item is not None}
                answer(row, f"  {one.number}  {one.place}: {one.reason}", json=json)


@app.command("pause")
def pause(job: JobId, *, data: Data = None, json: Json = False) -> None:
    """Let a job rest; what is in work is finished."""
    _change(job, "pause", data, json=json)


@app.command("resume")
def resume(job: JobId, *, data: Data = None, json: Json = False) -> None:
    """Let a job go on that was paused, or whose source could not be read."""
    _change(job, "resume", data, json=json)


@app.command("cancel")
def cancel(job: JobId, *, data: Data = None, json: Json = False) -> None:
    """End a job; what it has imported stays."""
    _change(job, "cancel", data, json=json)


@app.command("retry")
def retry(
    job: JobId,
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[NUMBER]...", help="Only these; else all.")] = None,
    *,
    data: Data = None,
    json: Json = False,
) -> None:
    """Take what is in quarantine out of it, and try it again."""
    with _book(data) as book:
        count = book.retry(job, numbers or None, now_us=_now_us())
    answer({"retried": count}, f"{count} will be tried again", json=json)


@app.command("work")
def work(
    *,
    threads: Annotated[
        int, typer.Option(min=0, max=64, help="Groups worked on at the same time; 0 is one per core.", show_default="0")
    ] = 0,
    until_done: Annotated[bool, typer.Option("--until-done", help="End when nothing is left to do.")] = False,
    data: Data = None,
    engine: Engine = None,
) -> None:
    """Work on jobs until SIGTERM or SIGINT: beside a server, or on other machines of the same catalogue."""
    from arthur.processors import usable_cores
    from arthur.trades import open_trade, open_worker

    with session(data=data, engine=engine) as arthur, open_trade(arthur) as trade, _told_to_stop() as stopped:
        worker = open_worker(arthur, trade, threads=threads or usable_cores())
        worker.start()
        typer.echo(f"working as {worker.name}")
        try:
            while worker.alive and not stopped.wait(_LOOK_S):
                if until_done and not arthur.catalog.jobs.jobs(before=None, limit=1, states=("queued", "running")):
                    break
        finally:
            failed = not worker.alive
            worker.close(wait_s=arthur.settings.drain_s)
    if failed:
        raise typer.Exit(1)


def job_row(job: Job, now_us: int) -> dict[str, object]:
    """Return a job as a JSON object, as the API shows it."""
    from arthur.jobs.showing import job_members

    return {**job_members(job, now_us)}


def job_line(job: Job, now_us: int) -> str:
    """Return a job as a line for people."""
    from arthur.jobs.showing import source_name

    total = f"{job.total}" if job.listed else f"{job.total} so far"
    rate, eta_s = job.rate(now_us), job.eta_s(now_us)
    pace = "" if rate is None else f"  {rate:.1f}/s"
    left = "" if eta_s is None else f"  {eta_s:.0f} s left"
    error = f"  {job.error}" if job.error else ""
    counts = f"{job.imported} imported, {job.skipped} already there, {job.failed} failed of {total}"
    return f"{job.job_id}  {job.state}  {source_name(job)}  {counts}{pace}{left}{error}"


def _change(job: str, wish: JobWish, data: object, *, json: bool) -> None:
    with _book(data) as book:
        changed = book.change(job, wish, now_us=_now_us())
    answer(job_row(changed, _now_us()), job_line(changed, _now_us()), json=json)


@contextmanager
def _book(data: object) -> Iterator[JobBook]:
    from arthur.catalog import open_catalog
    from arthur.config import load_settings

    catalog = open_catalog(load_settings(data=data).catalog_url)
    try:
        yield catalog.jobs
    finally:
        catalog.close()


@contextmanager
def _told_to_stop() -> Iterator[Event]:
    """Yield an event that is set by SIGTERM or SIGINT; by a second one this process ends at once."""
    asked = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ask(*_: object) -> None:
        asked.set()
        _restore(before)

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        _restore(before)


def _restore(handlers: Mapping[signal.Signals, object]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)  # type: ignore[arg-type]  # what getsignal gave


def _now_us() -> int:
    return time.time_ns() // 1000


__all__ = ["FOLLOW_S", "app", "job_line", "job_row"]
