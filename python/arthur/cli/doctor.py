"""`arthur doctor`: what is installed, what is broken, and how to mend it."""

from __future__ import annotations

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import emit
from arthur.cli.session import log_to_stderr

_MARKS = {"ok": "  ok   ", "warning": "  look ", "wrong": " WRONG "}


def doctor(*, data: Data = None, engine: Engine = None, json: Json = False) -> None:
    """Examine this installation and its data. Status 1 if something is wrong."""
    from arthur.cli.findings import examine
    from arthur.config import load_settings

    settings = load_settings(data=data, engine=engine)
    log_to_stderr(settings)
    wrong = False
    for finding in examine(settings):
        wrong = wrong or finding.state == "wrong"
        if json:
            emit({"part": finding.part, "state": finding.state, "detail": finding.detail, "mend": finding.mend})
            continue
        typer.echo(f"[{_MARKS[finding.state]}] {finding.part}: {finding.detail}")
        if finding.mend:
            typer.echo(f"{'':10}-> {finding.mend}")
    if wrong:
        raise typer.Exit(1)
