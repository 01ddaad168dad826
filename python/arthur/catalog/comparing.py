"""Comparing tables of two catalogues, range by range, and mending what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from blake3 import blake3
from sqlalchemy import Connection, Integer, Row, Table, and_, delete, insert, select, tuple_, update

from arthur.catalog.chunks import chunked

__all__ = ["Range", "checksum", "mend", "put_rows", "ranges"]

Rows: TypeAlias = Sequence[Row[*tuple[Any, ...]]]
Key: TypeAlias = tuple[Any, ...]

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Range:
    """The rows of a stretch of keys, in both catalogues, each in order."""

    source: Rows
    target: Rows


def ranges(source: Connection, target: Connection, table: Table) -> Iterator[Range]:
    """Yield a table's rows in stretches that cover every key of both sides."""
    if not all(isinstance(column.type, Integer) for column in table.primary_key):
        # Databases order text differently, and tables that are known by text are short.
        yield Range(_sorted(source, table), _sorted(target, table))
        return
    key = tuple_(*table.primary_key)
    ahead = select(table).order_by(*table.primary_key)
    while True:
        mine = source.execute(ahead.limit(_PAGE)).all()
        # Behind the source's last row the rest of the target belongs to the last stretch.
        if len(mine) < _PAGE:
            yield Range(mine, target.execute(ahead).all())
            return
        upto = _key(table, mine[-1])
        yield Range(mine, target.execute(ahead.where(key <= upto)).all())
        ahead = select(table).order_by(*table.primary_key).where(key > upto)


def checksum(rows: Rows) -> bytes:
    """Return the BLAKE3 of rows, equal for equal rows of any database."""
    state = blake3()
    for row in rows:
        for value in row:
            encoded = bytes(value) if isinstance(value, bytes | memoryview) else repr(value).encode()
            state.update(b"%d:" % len(encoded) + encoded)
    return state.digest()


def mend(connection: Connection, table: Table, stretch: Range) -> int:
    """Make the target's rows of a stretch equal to the source's; return how many rows were not."""
    mine = {_key(table, row): row for row in stretch.source}
    theirs = {_key(table, row): row for row in stretch.target}
    gone = [key for key in theirs if key not in mine]
    new = [row._asdict() for key, row in mine.items() if key not in theirs]
    changed = [key for key, row in mine.items() if key in theirs and tuple(row) != tuple(theirs[key])]
    for keys in chunked(gone):
        connection.execute(delete(table).where(tuple_(*table.primary_key).in_(keys)))
    for key in changed:
        named = and_(*(column == part for column, part in zip(table.primary_key, key, strict=True)))
        connection.execute(update(table).where(named).values(**mine[key]._asdict()))
    put_rows(connection, table, new)
    return len(gone) + len(new) + len(changed)


def put_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows into a table."""
    # SQLAlchemy takes an empty list for one row of defaults.
    if rows:
        connection.execute(insert(table), rows)


def _sorted(connection: Connection, table: Table) -> Rows:
    return sorted(connection.execute(select(table)).all(), key=lambda row: _key(table, row))


def _key(table: Table, row: Row[*tuple[Any, ...]]) -> Key:
    return tuple(value for value, column in zip(row, table.columns, strict=True) if column.primary_key)
