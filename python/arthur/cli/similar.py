"""`arthur similar`: entries like one that is in the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from arthur.cli.options import Artists, Data, Engine, Entries, Json, MinScore
from arthur.cli.output import emit, match_line, match_row
from arthur.cli.session import session


def similar(
    artist_id: Annotated[str, typer.Argument(help="The artist's id.")],
    entry_id: Annotated[str, typer.Argument(help="The entry's id.")],
    view_id: Annotated[str, typer.Argument(help="The view's id.")] = "main",
    *,
    entries: Entries = 10,
    artist: Artists = None,
    min_score: MinScore = None,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """List the entries most like a stored view, its own entry left out."""
    from arthur.types import ViewId

    view = ViewId(artist_id, entry_id, view_id)
    with session(data=data, engine=engine) as arthur:
        found = arthur.recognizer.similar(view, k=entries, artist_ids=tuple(artist or ()), min_score=min_score)
    if json:
        emit({"matches": [match_row(match) for match in found]})
        return
    for match in found:
        typer.echo(match_line(match))
