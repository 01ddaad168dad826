"""`arthur report`: what was asked, from the match log."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arthur.cli.options import Data, Json
from arthur.cli.output import emit

if TYPE_CHECKING:
    from arthur.analytics import Answered

_DAY_US = 86_400_000_000

Days = Annotated[int, typer.Option(min=1, max=3650, help="Days to look at.")]
Top = Annotated[int, typer.Option(min=1, max=1000, help="Most found works wanted.")]
File = Annotated[Path | None, typer.Option("--file", help="Write a table there, ending in .csv or .parquet.")]
Table = Annotated[Literal["days", "works"], typer.Option(help="Which table --file writes.")]


def report(
    *, days: Days = 30, top: Top = 20, file: File = None, table: Table = "days", data: Data = None, json: Json = False
) -> None:
    """Tell what was asked: decisions, latency, most found works. Servers log it with ARTHUR_MATCH_LOG_DAYS above 0."""
    from arthur.analytics import read_answers
    from arthur.catalog import open_catalog
    from arthur.config import load_settings

    form = _form(file)
    with closing(open_catalog(load_settings(data=data).catalog_url)) as catalog:
        answered = read_answers(catalog.match_log, since_us=time.time_ns() // 1000 - days * _DAY_US)
    if file is not None and form is not None:
        _write(answered, file, form, table)
    if json:
        emit(_document(answered, top))
    else:
        _tell(answered, top)


def _form(file: Path | None) -> Literal["csv", "parquet"] | None:
    if file is None:
        return None
    if file.suffix == ".csv":
        return "csv"
    if file.suffix == ".parquet":
        return "parquet"
    raise typer.BadParameter("the file must end in .csv or .parquet")


def _write(answered: Answered, file: Path, form: Literal["csv", "parquet"], table: str) -> None:
    from arthur.analytics import written
    from arthur.errors import ConfigError

    try:
        file.write_bytes(written(answered.days() if table == "days" else answered.works(), form))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error


def _document(answered: Answered, top: int) -> dict[str, object]:
    return {
        "answers": answered.rows.height,
        "complete": answered.complete,
        "decisions": answered.decisions(),
        "latency_ms": answered.latency_ms(),
        "top": answered.works().head(top).to_dicts(),
        "days": answered.days().to_dicts(),
    }


def _tell(answered: Answered, top: int) -> None:
    if answered.rows.is_empty():
        typer.echo("no answers are logged")
        return
    shares = ", ".join(f"{name} {answered.share(name) or 0:.1%}" for name in answered.decisions())
    latency = ", ".join(f"{name} {value:.0f} ms" for name, value in answered.latency_ms().items())
    typer.echo(f"{answered.rows.height} answers: {shares}\nlatency: {latency}")
    for row in answered.works().head(top).iter_rows(named=True):
        typer.echo(f"{row['match']:8} match {row['unsure']:6} unsure  {row['artist_id']} / {row['entry_id']}")
