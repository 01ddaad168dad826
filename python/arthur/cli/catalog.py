"""`arthur catalog`: the catalogue's database itself."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from arthur.cli.options import Data, Json
from arthur.cli.output import answer, progress_bar

app = typer.Typer(name="catalog", help="Look after the catalogue's database.", no_args_is_help=True)

Source = Annotated[str, typer.Argument(help="URL of the catalogue to copy; it may be in use.", metavar="SOURCE")]
Target = Annotated[str, typer.Argument(help="URL of an empty database, or of an earlier copy.", metavar="TARGET")]


@app.command("move")
def move(source: Source, target: Target, *, json: Json = False) -> None:
    """Copy a catalogue into another database and compare every row. Run again it brings what was written since."""
    from arthur.catalog.moving import move
    from arthur.catalog.opening import open_database

    opened = closing(open_database(source)), closing(open_database(target))
    with opened[0] as old, opened[1] as new, progress_bar("copy") as advance:
        moved = move(old, new, advance)
    document = {"sequence": moved.sequence, "rows": moved.rows, "checksums": moved.checksums}
    counts = ", ".join(f"{count} {name}" for name, count in moved.rows.items())
    answer(document, f"equal up to sequence {moved.sequence}: {counts}", json=json)


@app.command("migrate")
def migrate(*, data: Data = None, json: Json = False) -> None:
    """Bring the database to the schema of this release, and say which that is; every server does so when it starts."""
    from arthur.assemble import check_data_folder
    from arthur.catalog import open_catalog
    from arthur.catalog.schema import HEAD
    from arthur.config import load_settings

    settings = load_settings(data=data)
    check_data_folder(settings.data)
    with closing(open_catalog(settings.catalog_url)) as catalog:
        sequence = catalog.latest()
    answer({"schema": HEAD, "sequence": sequence}, f"schema {HEAD}, sequence {sequence}", json=json)
