"""Changes an engine's folder whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arthur.encode.export.engine import replaced
from arthur.encode.folder import EngineFolder, find_folder, open_folder
from arthur.encode.journal import Note, journal
from arthur.errors import EngineError


@dataclass(frozen=True, slots=True)
class Change:
    """A copy of an engine's folder in which to work.

    Attributes:
        folder: the copy.
        place: where it will lie.
        note: appends a line to its log.
    """

    folder: EngineFolder
    place: Path
    note: Note


@contextmanager
def changed(engine: str, *, into: Path) -> Iterator[Change]:
    """Give a copy of an engine that takes its place when the block ends well; otherwise nothing changes.

    A packaged engine stays as it is: its copy is put below `into`, where it hides the packaged one.

    Raises:
        ConfigError: there is no such engine.
        EngineError: the folder cannot be written.
    """
    source = find_folder(engine, folders=(into,))
    place = source.path if "/" in engine or into in source.path.parents else into / source.facts.folder_name
    scripts = shutil.ignore_patterns("__pycache__", "*.py") if place != source.path else None
    try:
        with replaced(place) as scratch, _named(scratch, source.path):
            shutil.copytree(source.path, scratch, dirs_exist_ok=True, ignore=scripts)
            yield Change(open_folder(scratch), place, journal(scratch))
    except (OSError, shutil.Error) as error:
        raise EngineError(f"{place} cannot be written: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def _named(scratch: Path, place: Path) -> Iterator[None]:
    """Let errors name the folder that stays, not the copy that will be gone."""
    try:
        yield
    except EngineError as error:
        raise type(error)(str(error).replace(str(scratch), str(place))) from error
