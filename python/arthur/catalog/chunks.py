"""Long lists in pieces that fit one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

__all__ = ["chunked"]

# With two values an item this is far below the 32,766 that SQLite takes in a statement.
_SIZE = 500


def chunked(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items in order, in lists short enough for an IN."""
    iterator = iter(items)
    while chunk := list(islice(iterator, _SIZE)):
        yield chunk
