"""Signs: what the processes on one catalogue tell each other for a while. Not part of the catalogue's contents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from sqlalchemy import Connection, delete, insert, select

from arthur.catalog.schema import notes

__all__ = ["Signs", "SqlSigns"]

Transaction: TypeAlias = Callable[[], AbstractContextManager[Connection]]
_PREFIX = "sign/"


class Signs(Protocol):
    """Short texts by name. Every method may be called from any thread, and blocks.

    Any method raises StoreError as those of Catalog do.
    """

    def put(self, name: str, text: str) -> None:
        """Put a sign up, in the place of one of that name."""
        ...

    def under(self, start: str) -> Mapping[str, str]:
        """Return the signs whose names begin so, by their whole names."""
        ...

    def drop(self, start: str) -> None:
        """Take down the signs whose names begin so."""
        ...


class SqlSigns:
    """See Signs. They lie among the notes; `reading` and `writing` begin a transaction each."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def put(self, name: str, text: str) -> None:
        """See Signs.put."""
        with self._writing() as connection:
            connection.execute(delete(notes).where(notes.c.name == _PREFIX + name))
            connection.execute(insert(notes).values(name=_PREFIX + name, value=text))

    def under(self, start: str) -> Mapping[str, str]:
        """See Signs.under."""
        found = select(notes.c.name, notes.c.value).where(notes.c.name.startswith(_PREFIX + start, autoescape=True))
        with self._reading() as connection:
            return {name.removeprefix(_PREFIX): value for name, value in connection.execute(found)}

    def drop(self, start: str) -> None:
        """See Signs.drop."""
        with self._writing() as connection:
            connection.execute(delete(notes).where(notes.c.name.startswith(_PREFIX + start, autoescape=True)))
