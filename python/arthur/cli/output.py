"""How commands answer: JSON documents for programs, short lines for people, progress for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Task

    from arthur.errors import ArthurError
    from arthur.recognizer import Progress
    from arthur.types import JsonValue, Match, Recognition

Advance = Callable[[int, int], None]


def emit(document: Mapping[str, object]) -> None:
    """Write one JSON document as one line."""
    import orjson

    typer.echo(orjson.dumps(document).decode())


def answer(document: Mapping[str, object], line: str, *, json: bool) -> None:
    """Answer with the document or with the line for people."""
    if json:
        emit(document)
    else:
        typer.echo(line)


def match_row(match: Match) -> dict[str, JsonValue]:
    """Return a match as a flat JSON object, as the API shows it."""
    view = match.view
    return {
        "artist_id": view.artist_id,
        "entry_id": view.entry_id,
        "view_id": view.view_id,
        "vector_id": view.vector_id,
        "score": match.score,
        "probability": match.probability,
        "decision": match.decision,
        "inliers": match.inliers,
        "coverage": match.coverage,
        "quad": None if match.quad is None else [list(corner) for corner in match.quad],
        "metadata": dict(match.metadata),
    }


def recognition_row(answer: Recognition) -> dict[str, object]:
    """Return an answer as a JSON object, as the API shows it."""
    return {
        "decision": answer.decision,
        "probability": answer.probability,
        "reasons": list(answer.reasons),
        "matches": [match_row(match) for match in answer.matches],
        "engine": answer.engine,
        "passport": answer.passport,
        "catalog_seq": answer.catalog_seq,
        "degraded": answer.degraded,
        "skipped": list(answer.skipped),
        "timings_ms": dict(answer.timings_ms),
    }


def match_line(match: Match) -> str:
    """Return a match as a line for people."""
    view = match.view
    name = f"{view.artist_id} / {view.entry_id} / {view.view_id}"
    inliers = "" if match.inliers is None else f"  ({match.inliers} inliers, {match.coverage:.0%} covered)"
    return f"  {match.score:.4f}  {match.probability:6.1%}  {name}{inliers}"


@contextmanager
def progress_bar(label: str) -> Iterator[Advance]:
    """Yield a function that shows (done, total) with rate and time left, on standard error if it is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Steps a second, as soon as there were two."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.0f}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def steps(advance: Advance) -> Callable[[Progress], None]:
    """Return `advance` as the jobs call it."""
    return lambda progress: advance(progress.done, progress.total)


def error_row(file: object, error: ArthurError) -> dict[str, object]:
    """Return what went wrong with a file as a JSON object."""
    return {"file": str(file), "error": {"code": error.code, "message": str(error)}}


def answer_error(file: object, error: ArthurError, *, json: bool) -> None:
    """Say what went wrong with a file: as an answer in JSON, else on standard error."""
    if json:
        emit(error_row(file, error))
    else:
        typer.echo(f"{file}: {error}", err=True)
