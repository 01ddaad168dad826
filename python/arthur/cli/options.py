"""Options that several commands share, so that each is named and described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arthur.release import installed_version

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder under which everything is kept.", show_default="data")
]
Engine = Annotated[str | None, typer.Option("--engine", help="Name of an engine, or a folder with an engine.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
Entries = Annotated[int, typer.Option("-k", "--entries", help="Entries wanted, 1..100.")]
Artists = Annotated[list[str] | None, typer.Option("--artist", help="Only this artist; may be repeated.")]
MinScore = Annotated[float | None, typer.Option("--min-score", help="Leave out entries with a lower score.")]


def _show_version(value: bool) -> None:  # noqa: FBT001  # typer calls it so
    if value:
        typer.echo(f"arthur {installed_version()}")
        raise typer.Exit


def version_option(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Recognize artworks: a photo in, the right entry of your catalogue (or an honest none) out."""
