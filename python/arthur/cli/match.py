"""`arthur match`: which entry do these photos show?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arthur.cli.enroll import read_picture
from arthur.cli.options import Artists, Data, Engine, Entries, Json, MinScore
from arthur.cli.output import answer_error, emit, match_line, recognition_row
from arthur.cli.session import session
from arthur.errors import DeadlineExceeded, FetchError, InvalidImage

if TYPE_CHECKING:
    from arthur.assemble import Arthur
    from arthur.types import Recognition


Verify = Literal["auto", "always", "never"]


def match(
    photos: Annotated[list[str], typer.Argument(help="Photos: files, or http and https URLs.", show_default=False)],
    *,
    entries: Entries = 10,
    artist: Artists = None,
    min_score: MinScore = None,
    max_false_accept: Annotated[
        float | None, typer.Option(help="Highest accepted probability that a match is wrong.", show_default="0.001")
    ] = None,
    verify: Annotated[Verify, typer.Option(help="Whether geometry may, must or must not be consulted.")] = "auto",
    deadline_ms: Annotated[float | None, typer.Option(help="Time for each photo, milliseconds.")] = None,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Recognize photos; with --json one line each. Status 1 if a photo could not be read."""
    from arthur.types import Query

    query = Query(
        k=entries,
        artist_ids=tuple(artist or ()),
        min_score=min_score,
        max_false_accept=max_false_accept,
        verify=verify,
        deadline_ms=deadline_ms,
    )
    failed = False
    with session(data=data, engine=engine) as arthur:
        for photo in photos:
            try:
                answer = arthur.recognizer.recognize(_read(arthur, photo), query)
            except (InvalidImage, FetchError, DeadlineExceeded) as error:
                failed = True
                answer_error(photo, error, json=json)
                continue
            emit({"file": photo, **recognition_row(answer)}) if json else _show(photo, answer)
    if failed:
        raise typer.Exit(1)


def _read(arthur: Arthur, photo: str) -> bytes:
    """Return the bytes of a file or at a URL."""
    if photo.startswith(("http://", "https://")):
        return arthur.fetcher(photo)
    return read_picture(Path(photo))


def _show(photo: str, answer: Recognition) -> None:
    """Write an answer for people."""
    reasons = f" ({'; '.join(answer.reasons)})" if answer.reasons else ""
    took = f"{answer.timings_ms['total']:.1f} ms"
    typer.echo(f"{photo}: {answer.decision.replace('_', ' ')}, probability {answer.probability:.1%}{reasons}, {took}")
    for found in answer.matches:
        typer.echo(match_line(found))
