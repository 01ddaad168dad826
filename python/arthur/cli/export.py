"""`arthur export`: the catalogue as a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import answer, progress_bar, steps
from arthur.cli.session import session


def export(
    file: Annotated[Path, typer.Argument(help="The Parquet file to write; one that is there is replaced.")],
    *,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Write metadata and vectors of every view that this engine has embedded."""
    from arthur.jobs.exporting import export_catalogue

    with session(data=data, engine=engine) as arthur, progress_bar("export") as advance:
        rows = export_catalogue(arthur.catalog, arthur.encoder.spec, file, steps(advance))
    answer({"file": str(file), "views": rows}, f"{file}: {rows} views", json=json)
