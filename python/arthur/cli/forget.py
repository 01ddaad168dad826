"""`arthur forget`: take an artist, an entry or a view out of the catalogue."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import answer
from arthur.cli.session import session
from arthur.errors import BadRequest, NotFound


def forget(
    artist_id: Annotated[str, typer.Argument(help="The artist's id.")],
    entry_id: Annotated[str | None, typer.Argument(help="The entry's id; without it, all of the artist.")] = None,
    view_id: Annotated[str | None, typer.Argument(help="The view's id; without it, all of the entry.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before more than one view goes.")] = False,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Remove a view, an entry or an artist with all below, and their pictures, for good."""
    name = " / ".join(part for part in (artist_id, entry_id, view_id) if part is not None)
    if not yes and view_id is None:
        if not sys.stdin.isatty():
            raise BadRequest(f"{name} may be many views; say --yes to remove them all")
        typer.confirm(f"Remove {name} and all below?", abort=True, err=True)
    with session(data=data, engine=engine) as arthur:
        removed = arthur.recognizer.forget(artist_id, entry_id, view_id)
    if not removed:
        raise NotFound(f"there is no {name}")
    answer({"removed": removed}, f"{name}: {removed} views removed", json=json)
