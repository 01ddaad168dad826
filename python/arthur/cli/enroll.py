"""`arthur enroll`: pictures of one entry into the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import answer, answer_error
from arthur.cli.session import session
from arthur.errors import BadRequest, InvalidImage

if TYPE_CHECKING:
    from arthur.types import JsonValue

MAIN_VIEW = "main"


def enroll(
    files: Annotated[list[Path], typer.Argument(help="Pictures of the entry.", show_default=False)],
    *,
    artist: Annotated[str, typer.Option(help="The artist's id.")],
    entry: Annotated[str, typer.Option(help="The entry's id.")],
    view: Annotated[
        str | None, typer.Option(help="The view's id; of several files each is named by its file.", show_default="main")
    ] = None,
    metadata: Annotated[list[str] | None, typer.Option("--meta", help="key=value; may be repeated.")] = None,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Enroll pictures as views of one entry. A view of the same name is replaced."""
    from arthur.recognizer import Enrolment
    from arthur.types import ViewId

    if view is not None and len(files) > 1:
        raise BadRequest("--view names one file; several are named by their files")
    views = [ViewId(artist, entry, (view or MAIN_VIEW) if len(files) == 1 else file.stem) for file in files]
    facts = _metadata(metadata or [])
    failed = False
    with session(data=data, engine=engine) as arthur:
        for file, name in zip(files, views, strict=True):
            try:
                put = arthur.recognizer.enroll(Enrolment(name, read_picture(file), file.name, facts))
            except (InvalidImage, BadRequest) as error:
                failed = True
                answer_error(file, error, json=json)
                continue
            row = {
                "file": str(file),
                "view": name.hierarchical,
                "vector_id": put.stored.vector_id,
                "created": put.created,
            }
            done = "enrolled" if put.created else "replaced"
            answer(row, f"{file}: {done} {name.hierarchical}", json=json)
    if failed:
        raise typer.Exit(1)


def read_picture(file: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        InvalidImage: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidImage(f"{file} cannot be read: {error.strerror}") from error


def _metadata(pairs: list[str]) -> dict[str, JsonValue]:
    """Split key=value pairs.

    Raises:
        BadRequest: a pair has no key or no equals sign.
    """
    split = [pair.partition("=") for pair in pairs]
    for key, sign, _ in split:
        if not key or not sign:
            raise BadRequest(f"--meta takes key=value, not {key + sign!r}")
    return {key: value for key, _, value in split}
