"""`arthur import`: many pictures, from a folder or a manifest."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import Advance, emit, progress_bar
from arthur.cli.session import session
from arthur.errors import StoreError

if TYPE_CHECKING:
    from arthur.assemble import Arthur
    from arthur.jobs.importing import Importer, Outcome

INTERRUPTED = 130


def import_(
    source: Annotated[Path, typer.Argument(help="A folder, or a manifest: .csv, .parquet, .jsonl.")],
    *,
    artist: Annotated[
        str | None, typer.Option(help="The folder is this artist's: entry.jpg or entry/view.jpg.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Groups of pictures worked on at the same time.")] = 2,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Import pictures laid out as artist/entry/view.jpg or artist/entry.jpg, or named by a manifest.

    A manifest has the columns artist_id, entry_id, optionally view_id, and path or url; further columns are metadata.
    Pictures that cannot be read are reported and the rest goes on (status 1). Run again, it skips what is there.
    """
    from arthur.jobs.sources import open_source
    from arthur.web.progress import import_told

    opened = open_source(source, artist_id=artist)
    with (
        session(data=data, engine=engine) as arthur,
        progress_bar("import") as show,
        import_told(arthur.catalog) as tell,
        interruption() as stopped,
    ):
        tally = Tally(opened.total, _both(show, tell), json=json)
        interrupted = not _importer(arthur, threads)(opened.items, tally, stopped=stopped)
        if not interrupted:
            _tell(arthur, tally)
    tally.conclude(interrupted=interrupted)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if tally.counts["failed"]:
        raise typer.Exit(1)


class Tally:
    """Counts outcomes, shows how far it is, and names what failed."""

    def __init__(self, total: int, advance: Advance, *, json: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._total = total
        self._advance = advance
        self._json = json

    def __call__(self, outcome: Outcome) -> None:
        """Take one outcome."""
        self.counts[outcome.result] += 1
        self._advance(self.counts.total(), self._total)
        if outcome.result == "failed":
            if self._json:
                emit({"place": outcome.place, "error": outcome.detail})
            else:
                typer.echo(f"{outcome.place}: {outcome.detail}", err=True)

    def conclude(self, *, interrupted: bool) -> None:
        """Say how many of each there were."""
        imported, skipped, failed = (self.counts[result] for result in ("imported", "skipped", "failed"))
        if self._json:
            emit({"imported": imported, "skipped": skipped, "failed": failed, "interrupted": interrupted})
            return
        typer.echo(f"{imported} imported, {skipped} already there, {failed} failed")
        if interrupted:
            typer.echo("interrupted; run it again to import the rest", err=True)


def _tell(arthur: Arthur, tally: Tally) -> None:
    """Tell webhooks that the import has ended; that they cannot be told is no failure of it."""
    facts = {name: tally.counts[name] for name in ("imported", "skipped", "failed")}
    try:
        arthur.catalog.outbox.tell("import.finished", facts, now_us=time.time_ns() // 1000)
    except StoreError as error:
        typer.echo(f"webhooks will not hear of this import: {error}", err=True)


def _both(show: Advance, tell: Advance) -> Advance:
    def advance(done: int, total: int) -> None:
        show(done, total)
        tell(done, total)

    return advance


def _importer(arthur: Arthur, threads: int) -> Importer:
    from arthur.jobs.importing import Importer, Reader

    return Importer(
        arthur.recognizer,
        arthur.catalog,
        read=Reader(arthur.fetcher, arthur.settings.max_image_bytes),
        threads=threads,
    )


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
