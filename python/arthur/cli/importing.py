"""`arthur import`: many pictures, from a folder, a manifest, a list of URLs, or an object store, as a job."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.jobs import FOLLOW_S, job_line, job_row
from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import answer, emit, progress_bar
from arthur.cli.session import session
from arthur.errors import StoreError

if TYPE_CHECKING:
    from arthur.catalog import Catalog
    from arthur.cli.output import Advance
    from arthur.types import Job

INTERRUPTED = 130
_PAGE = 500


def import_(
    source: Annotated[
        str, typer.Argument(help="A folder, a manifest (.csv, .parquet, .jsonl), a list of URLs (.txt), or s3://...")
    ],
    *,
    artist: Annotated[
        str | None, typer.Option(help="The folder or list is this artist's: entry.jpg or entry/view.jpg.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Groups of pictures worked on at the same time.")] = 2,
    background: Annotated[
        bool, typer.Option("--background", help="Begin the job and leave it to the workers of this machine.")
    ] = False,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Import pictures laid out as artist/entry/view.jpg or artist/entry.jpg, or named by a manifest.

    A manifest has the columns artist_id, entry_id, optionally view_id, and path or url; further columns are metadata.
    Pictures that cannot be read are reported and the rest goes on (status 1). It is a job: killed or interrupted, it
    goes on where it was when it is run again, and skips what is there.
    """
    from arthur.jobs.starting import local_spec, start_job
    from arthur.trades import open_trade, open_worker, reach_of

    with session(data=data, engine=engine) as arthur:
        job = start_job(arthur.catalog, reach_of(arthur.settings), local_spec(source, artist), now_us=_now_us())
        if background:
            answer(job_row(job, _now_us()), job_line(job, _now_us()), json=json)
            return
        with open_trade(arthur) as trade, progress_bar("import") as show, interruption() as stopped:
            worker = open_worker(arthur, trade, threads=threads, only=job.number)
            worker.start()
            try:
                ended = _follow(
                    arthur.catalog, job, Tally(show, json=json), stopped=lambda: stopped() or not worker.alive
                )
            finally:
                worker.close(wait_s=60)
        if not ended.ended:
            ended = arthur.catalog.jobs.change(job.job_id, "pause", now_us=_now_us())
    _conclude(ended, json=json)


class Tally:
    """Shows how far a job is, and names what failed."""

    def __init__(self, advance: Advance, *, json: bool) -> None:
        self._advance = advance
        self._json = json
        self._named = 0

    def __call__(self, catalog: Catalog, job: Job) -> None:
        """Show a job as it stands."""
        self._advance(job.done, job.total)
        while rejects := catalog.jobs.rejects(job.job_id, since=self._named, limit=_PAGE):
            self._named = rejects[-1].number
            for one in rejects:
                if self._json:
                    emit({"place": one.place, "error": one.reason})
                else:
                    typer.echo(f"{one.place}: {one.reason}", err=True)


def _follow(catalog: Catalog, job: Job, tally: Tally, *, stopped: Callable[[], bool]) -> Job:
    """Tell of a job until it has ended, or this command was stopped; return how it stands then."""
    while True:
        going = not stopped()
        try:
            job = catalog.jobs.job(job.job_id)
            tally(catalog, job)
        except StoreError as error:
            typer.echo(f"the catalogue does not answer: {error}", err=True)
        if job.ended or not going:
            return job
        time.sleep(FOLLOW_S)


def _conclude(job: Job, *, json: bool) -> None:
    """Say how it ended, and leave with the status of that.

    Raises:
        StoreError: the source could not be read to its end.
    """
    if json:
        counts = {"imported": job.imported, "skipped": job.skipped, "failed": job.failed}
        emit({**counts, "interrupted": not job.ended, "job": job.job_id})
    else:
        typer.echo(f"{job.imported} imported, {job.skipped} already there, {job.failed} failed")
    if not job.ended:
        typer.echo("interrupted; run it again to import the rest", err=True)
        raise typer.Exit(INTERRUPTED)
    if job.error:
        typer.echo(f"arthur: {job.error}", err=True)
    if job.failed or job.state != "done":
        raise typer.Exit(1)


def _now_us() -> int:
    return time.time_ns() // 1000


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C was pressed; pressed again, it interrupts at once."""
    before = signal.getsignal(signal.SIGINT)
    asked = Event()

    def ask(*_: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
