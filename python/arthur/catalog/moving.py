"""Copies a catalogue from one database into another, while the source is being written to.

The target takes the source's changes in order of the sequence, each stretch in a transaction that also says how far it
got; so a copy that was interrupted goes on where it was. What has no place in the sequence is compared at the end, in
one snapshot of the source, as everything else is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from blake3 import blake3
from sqlalchemy import Column, Connection, Table, and_, delete, exists, insert, select, update

from arthur.catalog.chunks import chunked
from arthur.catalog.comparing import Rows, checksum, mend, put_rows, ranges
from arthur.catalog.database import Database
from arthur.catalog.faults import store_errors
from arthur.catalog.migrate import bring_up_to_date
from arthur.catalog.schema import (
    artists,
    embeddings,
    endings,
    engines,
    entries,
    features,
    metadata,
    notes,
    state,
    verifiers,
    views,
)
from arthur.errors import Conflict, StoreError

__all__ = ["IDENTITY", "Moved", "copy", "move"]

Advance = Callable[[int, int], None]

_PAGE = 500
# A round that brought no more than this was short: what is written meanwhile waits for the next call.
_SHORT = 20_000
IDENTITY = "identity"
"""The note by which indices know a catalogue."""

_MAKERS = (engines, verifiers)
_HISTORY = frozenset((artists, entries, views, endings, state))
"""Copied by the sequence alone. A difference that is left is a fault and not mended."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What the target holds now, compared with a snapshot of the source.

    Attributes:
        sequence: up to which the target has everything.
        rows: of each table.
        checksums: BLAKE3 of each table's rows, which both databases gave.
    """

    sequence: int
    rows: dict[str, int]
    checksums: dict[str, str]


def move(source: Database, target: Database, advance: Advance) -> Moved:
    """Make the target equal to a snapshot of the source, taken when most was copied; `advance` hears (done, total).

    Only the target is written to, but for a name that the source is given if it has none. Run again it brings what
    was written to the source meanwhile.

    Raises:
        Conflict: the target holds a catalogue of its own, or was written to since.
        ConfigError: a database is of a newer Arthur or of another program.
        StoreError: a database does not answer, or the copy differs from the source.
    """
    with store_errors():
        for database in (source, target):
            bring_up_to_date(database)
    return copy(source, target, advance)


def copy(source: Database, target: Database, advance: Advance) -> Moved:
    """As `move`, where the schemas of both are up to date."""
    with store_errors():
        _claim(target, _identity(source))
        while True:
            with source.reader.begin() as snapshot:
                copied = _Copy(snapshot, target, advance).round()
                if copied <= _SHORT:
                    return _equal(snapshot, source, target)


class _Copy:
    """Brings one snapshot's changes to the target."""

    def __init__(self, snapshot: Connection, target: Database, advance: Advance) -> None:
        self._snapshot = snapshot
        self._target = target
        self._advance = advance

    def round(self) -> int:
        """Copy what the target lacks; return how many numbers of the sequence that were."""
        newest = int(self._snapshot.execute(select(state.c.sequence)).scalar_one())
        since = self._target.state().sequence
        if since > newest:
            raise Conflict("the target is ahead of the source: it was written to, or the source is a backup")
        with self._target.writer.begin() as connection:
            for table in _MAKERS:
                _put_missing(connection, table, self._snapshot.execute(select(table)).all())
        self._end(since)
        reached = since
        while (upto := self._put(reached)) is not None:
            reached = upto
            self._advance(reached, newest)
        with self._target.writer.begin() as connection:
            connection.execute(update(state).values(**self._snapshot.execute(select(state)).one()._asdict()))
        self._advance(newest, newest)
        return newest - since

    def _end(self, since: int) -> None:
        """End what the source has ended since then: its names may have been given anew."""
        after, ended = since, False
        found = select(endings).order_by(endings.c.sequence).limit(_PAGE)
        while rows := self._snapshot.execute(found.where(endings.c.sequence > after)).all():
            after, ended = rows[-1].sequence, True
            with self._target.writer.begin() as connection:
                _put_missing(connection, endings, rows)
                connection.execute(delete(views).where(views.c.key.in_([row.key for row in rows])))
        if ended and since:
            with self._target.writer.begin() as connection:
                connection.execute(delete(entries).where(~exists().where(views.c.entry == entries.c.number)))
                connection.execute(delete(artists).where(~exists().where(entries.c.artist == artists.c.number)))

    def _put(self, since: int) -> int | None:
        """Put the next views with all that belongs to them; return the last one's key, None at the end."""
        found = self._snapshot.execute(select(views).where(views.c.key > since).order_by(views.c.key).limit(_PAGE))
        rows = found.all()
        if not rows:
            return None
        upto = rows[-1].key
        entry_rows = self._named(entries.c.number, {row.entry for row in rows})
        artist_rows = self._named(artists.c.number, {row.artist for row in entry_rows})
        with self._target.writer.begin() as connection:
            _put_missing(connection, artists, artist_rows)
            _put_missing(connection, entries, entry_rows)
            put_rows(connection, views, [row._asdict() for row in rows])
            for table in (embeddings, features):
                of_these = and_(table.c.key > since, table.c.key <= upto)
                parts = self._snapshot.execute(select(table).where(of_these)).all()
                put_rows(connection, table, [row._asdict() for row in parts])
            connection.execute(update(state).values(sequence=upto))
        return int(upto)

    def _named(self, number: Column[int], wanted: Iterable[int]) -> Rows:
        query = select(number.table)
        return [row for part in chunked(wanted) for row in self._snapshot.execute(query.where(number.in_(part)))]


def _identity(source: Database) -> str:
    """Return the name by which indices know the source, which is given one if it has none."""
    with source.writer.begin() as connection:
        known = connection.scalar(select(notes.c.value).where(notes.c.name == IDENTITY))
        if known is None:
            known = uuid.uuid4().hex
            connection.execute(insert(notes).values(name=IDENTITY, value=known))
    return str(known)


def _claim(target: Database, identity: str) -> None:
    """Make the target a copy of the catalogue of that identity, unless it is something else already."""
    with target.writer.begin() as connection:
        known = connection.scalar(select(notes.c.value).where(notes.c.name == IDENTITY))
        if known is None and connection.scalar(select(state.c.sequence)) == 0:
            connection.execute(insert(notes).values(name=IDENTITY, value=identity))
        elif known != identity:
            raise Conflict("the target holds another catalogue: name an empty database")


def _put_missing(connection: Connection, table: Table, rows: Rows) -> None:
    """Put those rows whose key, one number, the table does not have."""
    (key,) = table.primary_key
    for part in chunked(rows):
        there = set(connection.scalars(select(key).where(key.in_([row._mapping[key.name] for row in part]))))
        put_rows(connection, table, [row._asdict() for row in part if row._mapping[key.name] not in there])


def _equal(snapshot: Connection, source: Database, target: Database) -> Moved:
    """Compare every table with the snapshot, mend what the sequence does not tell of, and say what there is."""
    rows, checksums = {}, {}
    for table in metadata.sorted_tables:
        with target.writer.begin() as connection:
            mended = _compare(snapshot, connection, table, mending=table not in _HISTORY)
            found = _compare(snapshot, connection, table, mending=False) if mended.differing else mended
            if table.autoincrement_column is not None:
                target.numbering.skip(connection, table, source.numbering.newest(snapshot, table))
        rows[str(table.name)], checksums[str(table.name)] = found.rows, found.checksum
    sequence = int(snapshot.execute(select(state.c.sequence)).scalar_one())
    return Moved(sequence, rows, checksums)


@dataclass(frozen=True, slots=True)
class _Comparison:
    rows: int
    checksum: str
    differing: int


def _compare(snapshot: Connection, connection: Connection, table: Table, *, mending: bool) -> _Comparison:
    rows, differing, checksums = 0, 0, blake3()
    for stretch in ranges(snapshot, connection, table):
        expected = checksum(stretch.source)
        if checksum(stretch.target) != expected:
            if not mending:
                raise StoreError(f"the copy differs from the source in the table {table.name}")
            differing += mend(connection, table, stretch)
        rows += len(stretch.source)
        checksums.update(expected)
    return _Comparison(rows, checksums.hexdigest(), differing)
