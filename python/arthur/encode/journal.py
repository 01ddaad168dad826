"""How long work on an engine tells how far it is, and what it leaves behind: a log in the engine's folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

JOURNAL = "engine.log"

Note: TypeAlias = Callable[[str], None]
Advance: TypeAlias = Callable[[int, int], None]
"""Told how much of how much was done."""


def unseen(_done: int, _total: int, /) -> None:
    """Tell nobody."""


def journal(folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Note:
    """Return what appends one line, with the time, to the log of the engine in that folder."""

    def note(line: str) -> None:
        with (folder / JOURNAL).open("a", encoding="utf-8") as log:
            log.write(f"{clock():%Y-%m-%dT%H:%M:%SZ} {line}\n")

    return note
