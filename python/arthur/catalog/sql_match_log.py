"""The match log in an SQL database. See MatchLog."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, TypeAlias

from blake3 import blake3
from sqlalchemy import Connection, Row, Select, delete, insert, select, tuple_

from arthur.catalog.chunks import chunked
from arthur.catalog.schema import artists, entries, match_log, notes
from arthur.types import LoggedMatch

__all__ = ["SqlMatchLog"]

Transaction: TypeAlias = Callable[[], AbstractContextManager[Connection]]
Entry: TypeAlias = tuple[str, str]

_PAGE = 10_000
# What one transaction removes: the next writer waits no longer than for some uploads.
_REMOVED_AT_ONCE = 5000
_DAY_US = 86_400_000_000
_SECRET_BYTES = 32
_SECRETS = "match_log/"
_HASH_BYTES = 16


class SqlMatchLog:
    """See MatchLog. `reading` and `writing` begin a transaction each; only one process writes at a time."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def put(self, answers: Sequence[LoggedMatch]) -> None:
        """See MatchLog.put."""
        if not answers:
            return
        with self._writing() as connection:
            _forget_secrets(connection, _day(max(one.at_us for one in answers) - _DAY_US))
            numbers = _numbers(connection, {named for one in answers if (named := _entry(one)) is not None})
            keys = _secrets(connection, {_day(one.at_us) for one in answers})
            rows = [
                {
                    "at_us": one.at_us,
                    "photo": blake3(one.photo.encode(), key=keys[_day(one.at_us)]).hexdigest(_HASH_BYTES),
                    "decision": one.decision,
                    "entry": numbers.get(_entry(one) or ("", "")),
                    "probability": one.probability,
                    "milliseconds": one.milliseconds,
                    "engine": one.engine,
                }
                for one in answers
                if _entry(one) is None or _entry(one) in numbers
            ]
            if rows:
                connection.execute(insert(match_log), rows)

    def rows(self, *, since_us: int, limit: int, only: Sequence[str] | None = None) -> Iterator[LoggedMatch]:
        """See MatchLog.rows."""
        query = _answers(since_us, only)
        while limit > 0:
            with self._reading() as connection:
                page = connection.execute(query.limit(min(limit, _PAGE))).all()
            yield from map(_logged, page)
            if len(page) < _PAGE:
                return
            limit -= len(page)
            query = _answers(since_us, only).where(match_log.c.number < page[-1].number)

    def forget(self, before_us: int, *, now_us: int) -> int:
        """See MatchLog.forget."""
        old = select(match_log.c.number).where(match_log.c.at_us < before_us).limit(_REMOVED_AT_ONCE)
        removed = 0
        while True:
            with self._writing() as connection:
                _forget_secrets(connection, max(_day(before_us), _day(now_us - _DAY_US)))
                numbers = connection.scalars(old).all()
                for chunk in chunked(numbers):
                    connection.execute(delete(match_log).where(match_log.c.number.in_(chunk)))
            removed += len(numbers)
            if len(numbers) < _REMOVED_AT_ONCE:
                return removed


def _answers(since_us: int, only: Sequence[str] | None) -> Select[Any]:
    query = (
        select(match_log, artists.c.artist_id, entries.c.entry_id)
        .join(entries, match_log.c.entry == entries.c.number, isouter=True)
        .join(artists, entries.c.artist == artists.c.number, isouter=True)
        .where(match_log.c.at_us >= since_us)
        .order_by(match_log.c.number.desc())
    )
    return query if only is None else query.where(artists.c.artist_id.in_(only))


def _numbers(connection: Connection, named: set[Entry]) -> dict[Entry, int]:
    """Return the numbers of those entries that are there."""
    joined = select(artists.c.artist_id, entries.c.entry_id, entries.c.number).join(
        artists, entries.c.artist == artists.c.number
    )
    numbers: dict[Entry, int] = {}
    for chunk in chunked(named):
        found = connection.execute(joined.where(tuple_(artists.c.artist_id, entries.c.entry_id).in_(chunk)))
        numbers.update({(row.artist_id, row.entry_id): row.number for row in found})
    return numbers


def _secrets(connection: Connection, days: set[str]) -> Mapping[str, bytes]:
    """Return the secrets of days, made where there are none."""
    names = [_SECRETS + day for day in days]
    known = select(notes.c.name, notes.c.value).where(notes.c.name.in_(names))
    found = {row.name: bytes.fromhex(row.value) for row in connection.execute(known)}
    for name in names:
        if name not in found:
            found[name] = secrets.token_bytes(_SECRET_BYTES)
            connection.execute(insert(notes).values(name=name, value=found[name].hex()))
    return {name.removeprefix(_SECRETS): secret for name, secret in found.items()}


def _forget_secrets(connection: Connection, day: str) -> None:
    """Forget the secrets of days before one."""
    older = notes.c.name.startswith(_SECRETS, autoescape=True), notes.c.name < _SECRETS + day
    connection.execute(delete(notes).where(*older))


def _entry(one: LoggedMatch) -> Entry | None:
    return None if one.artist_id is None or one.entry_id is None else (one.artist_id, one.entry_id)


def _day(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).date().isoformat()


def _logged(row: Row[Any]) -> LoggedMatch:
    return LoggedMatch(
        at_us=row.at_us,
        photo=row.photo,
        decision=row.decision,
        artist_id=row.artist_id,
        entry_id=row.entry_id,
        probability=row.probability,
        milliseconds=row.milliseconds,
        engine=row.engine,
    )
