"""`arthur search`: entries that are like words, like pictures, or like both together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.enroll import read_picture
from arthur.cli.options import Artists, Data, Engine, Entries, Json, MinScore
from arthur.cli.output import emit
from arthur.cli.session import session

if TYPE_CHECKING:
    from arthur.types import Hit


def search(
    texts: Annotated[list[str] | None, typer.Argument(help="What to search for, in words.", show_default=False)] = None,
    *,
    image: Annotated[list[Path] | None, typer.Option(help="A picture to search for; may be repeated.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="What is not wanted, in words; may be repeated.")] = None,
    text_weight: Annotated[float, typer.Option(help="How much each text counts.")] = 1.0,
    image_weight: Annotated[float, typer.Option(help="How much each picture counts.")] = 1.0,
    entries: Entries = 10,
    artist: Artists = None,
    min_score: MinScore = None,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """List the entries nearest to texts and pictures; texts need an engine that can read them."""
    from arthur.types import Ingredient, Question

    words = [Ingredient(text=text, weight=text_weight) for text in texts or ()]
    words += [Ingredient(text=text, weight=-text_weight) for text in without or ()]
    pictures = [Ingredient(image=read_picture(path), weight=image_weight) for path in image or ()]
    question = Question((*words, *pictures), k=entries, artist_ids=tuple(artist or ()), min_score=min_score)
    with session(data=data, engine=engine) as arthur:
        answer = arthur.recognizer.search(question)
    if json:
        emit({"hits": [_row(hit) for hit in answer.hits], "engine": answer.engine, "degraded": answer.degraded})
        return
    for hit in answer.hits:
        typer.echo(f"  {hit.score:.4f}  {hit.view.artist_id} / {hit.view.entry_id} / {hit.view.view_id}")


def _row(hit: Hit) -> dict[str, object]:
    """Return a hit as a flat JSON object, as the API shows it."""
    view = hit.view
    return {
        "artist_id": view.artist_id,
        "entry_id": view.entry_id,
        "view_id": view.view_id,
        "vector_id": view.vector_id,
        "score": hit.score,
        "metadata": dict(hit.metadata),
    }
