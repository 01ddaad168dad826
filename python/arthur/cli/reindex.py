"""`arthur reindex`: make sure that the index equals the catalog."""

from __future__ import annotations

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import answer, progress_bar, steps
from arthur.cli.session import session


def reindex(*, data: Data = None, engine: Engine = None, json: Json = False) -> None:
    """Compare the index with the catalog and rebuild it if it differs."""
    with session(data=data, engine=engine) as arthur, progress_bar("index") as advance:
        views = arthur.recognizer.reindex(steps(advance))
    answer({"views": views}, f"{views} views are indexed", json=json)
