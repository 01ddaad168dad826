"""What the catalogue needs of a database, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from arthur.types import Counts

__all__ = ["Database", "State", "StateSource"]


@dataclass(frozen=True, slots=True)
class State:
    """The newest committed sequence, how many rows are live, and the fingerprint of the engine in force."""

    sequence: int
    counts: Counts
    engine: str


class StateSource(Protocol):
    """Tells the newest committed state, of any process. Thread-safe and cheap."""

    def __call__(self) -> State:
        """Return the state as of the newest commit."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


@dataclass(frozen=True, slots=True)
class Database:
    """A database as the catalogue uses it; both engines share one pool.

    Attributes:
        reader: a transaction sees one snapshot and never waits for writers.
        writer: transactions follow one another in the order of the sequence, over all processes.
        state: the newest committed state.
    """

    reader: Engine
    writer: Engine
    state: StateSource

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.state.close()
        self.reader.dispose()
