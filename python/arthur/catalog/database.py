"""What the catalogue needs of a database, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import Protocol

from sqlalchemy import Connection, Engine, Table

from arthur.types import Counts

__all__ = ["Database", "Numbering", "State", "StateSource"]


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

    def wait(self, since: int, timeout_s: float, given_up: Event) -> State:
        """Return the state as soon as its sequence is not `since`, after `timeout_s`, or when it is `given_up`."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class Numbering(Protocol):
    """Knows the numbers that the database has given to rows of a table; those of removed rows must not come back."""

    def newest(self, connection: Connection, table: Table) -> int:
        """Return the highest number ever given; 0 for none."""
        ...

    def skip(self, connection: Connection, table: Table, newest: int) -> None:
        """Give no number up to `newest`, nor one that a row has."""
        ...


@dataclass(frozen=True, slots=True)
class Database:
    """A database as the catalogue uses it; all engines share one pool.

    Attributes:
        reader: a transaction sees one snapshot and never waits for writers.
        writer: transactions follow one another in the order of the sequence, over all processes.
        queue: transactions change what has no place in the sequence; they need not follow one another.
        asker: each statement sees a snapshot of its own; the fewest round trips, where one statement tells all.
        state: the newest committed state.
        numbering: of the tables whose rows the database numbers.
    """

    reader: Engine
    writer: Engine
    queue: Engine
    asker: Engine
    state: StateSource
    numbering: Numbering

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.state.close()
        self.reader.dispose()
