"""`arthur confusables` and `arthur duplicates`: pairs of views of different entries that look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import emit, progress_bar, steps
from arthur.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arthur.catalog import Catalog
    from arthur.types import LikenessKind, StoredLikeness

_PAGE = 1000

Rescan = Annotated[bool, typer.Option("--rescan", help="First compare every view with the other entries again.")]


def confusables(*, rescan: Rescan = False, data: Data = None, engine: Engine = None, json: Json = False) -> None:
    """List works that recognition can hardly tell apart, those with the newest view first."""
    _list("confusable", rescan=rescan, data=data, engine=engine, json=json)


def duplicates(*, rescan: Rescan = False, data: Data = None, engine: Engine = None, json: Json = False) -> None:
    """List pictures that are enrolled under two entries, those with the newest view first."""
    _list("duplicate", rescan=rescan, data=data, engine=engine, json=json)


def _list(kind: LikenessKind, *, rescan: bool, data: Data, engine: Engine, json: bool) -> None:
    with session(data=data, engine=engine) as arthur:
        if rescan:
            with progress_bar("compare") as advance:
                arthur.recognizer.find_likenesses(steps(advance))
        for row in _rows(arthur.catalog, kind):
            _show(row, json=json)


def _rows(catalog: Catalog, kind: LikenessKind) -> Iterator[StoredLikeness]:
    cursor, first = None, True
    while first or cursor is not None:
        page = catalog.likenesses(kind, cursor=cursor, limit=_PAGE)
        yield from page.rows
        cursor, first = page.next_cursor, False


def _show(row: StoredLikeness, *, json: bool) -> None:
    newer, older = row.newer.view.hierarchical, row.older.view.hierarchical
    if json:
        numbers = {"probability": row.probability, "score": row.score, "inliers": row.inliers, "coverage": row.coverage}
        emit({"newer": newer, "older": older, **numbers})
    else:
        typer.echo(f"{row.probability:6.1%}  {row.score:.4f}  {newer}  {older}")
