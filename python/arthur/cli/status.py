"""`arthur status`: what is in the catalogue, and how its parts are."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import emit
from arthur.cli.session import session


def status(*, data: Data = None, engine: Engine = None, json: Json = False) -> None:
    """Show counts, the engine, the index and what does not answer. Status 1 if a part is degraded."""
    with session(data=data, engine=engine) as arthur:
        embedders = {"embedders": arthur.embedders} if arthur.embedders else {}
        found = {**arthur.recognizer.status(), **embedders}
    if json:
        emit(found)
    else:
        _show(found)
    if found["degraded"]:
        raise typer.Exit(1)


def _show(values: Mapping[str, object], indent: str = "") -> None:
    """Write nested facts, one a line."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            typer.echo(f"{indent}{name}:")
            _show(value, indent + "  ")
        else:
            typer.echo(f"{indent}{name}: {'none' if value in (None, []) else value}")
