"""Writes of the SQL catalogue. Each function works inside the caller's write transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Executable,
    bindparam,
    delete,
    exists,
    insert,
    select,
    update,
)

from arthur.catalog.chunks import chunked
from arthur.catalog.naming import Name, Version, name_views
from arthur.catalog.records import Prepared
from arthur.catalog.schema import artists, embeddings, endings, entries, features, state, verifiers, views
from arthur.types import Keys, Put

__all__ = ["Makers", "put_views", "remove_views", "verifier_numbers"]


@dataclass(frozen=True, slots=True)
class Makers:
    """The numbers of the engines and verifiers whose vectors and features are written, by fingerprint.

    Attributes:
        passports: numbers of the engines' passports, by id.
    """

    engines: Mapping[str, int]
    verifiers: Mapping[str, int]
    passports: Mapping[str, int]


def verifier_numbers(connection: Connection, prepared: Sequence[Prepared]) -> dict[str, int]:
    """Return the numbers of the verifiers that packed features of these views; new ones are made known."""
    wanted = {item.new.features.fingerprint for item in prepared if item.new.features is not None}
    known = select(verifiers.c.fingerprint, verifiers.c.number).where(verifiers.c.fingerprint.in_(wanted))
    numbers = {row.fingerprint: int(row.number) for row in connection.execute(known)} if wanted else {}
    for fingerprint in sorted(wanted - numbers.keys()):
        added = insert(verifiers).values(fingerprint=fingerprint).returning(verifiers.c.number)
        numbers[fingerprint] = int(connection.execute(added).scalar_one())
    return numbers


def put_views(connection: Connection, prepared: Sequence[Prepared], makers: Makers, *, now_us: int) -> list[Put]:
    """Put views in order, each under the next number of the sequence; of several of one name the last stays."""
    first = _advance(connection, len(prepared))
    names, before, new_artists, new_entries = name_views(connection, [item.new.view for item in prepared])
    puts = _puts(prepared, names, before, first=first, now_us=now_us)
    ended = [{"sequence": put.stored.key, "key": put.replaced_key} for put in puts if not put.created]
    _execute_many(connection, insert(endings), ended)
    _delete_views(connection, [version.key for version in before.values()])
    # Later ones of the same name take the place of earlier ones.
    kept = dict(zip(names, zip(prepared, puts, strict=True), strict=True))
    view_rows = [item.row(name[0], put) for name, (item, put) in kept.items()]
    vector_rows = [
        {
            "key": put.stored.key,
            "engine": makers.engines[item.new.fingerprint],
            "vector": item.vector,
            "passport": None if item.new.passport is None else makers.passports[item.new.passport.id],
        }
        for item, put in kept.values()
    ]
    feature_rows = [
        {"key": put.stored.key, "verifier": makers.verifiers[found.fingerprint], "data": found.data}
        for item, put in kept.values()
        if (found := item.new.features) is not None
    ]
    _execute_many(connection, insert(views), view_rows)
    _execute_many(connection, insert(embeddings), vector_rows)
    _execute_many(connection, insert(features), feature_rows)
    _count(connection, views=len(kept) - len(before), entries=new_entries, artists=new_artists)
    return puts


def remove_views(connection: Connection, scope: Sequence[ColumnElement[bool]]) -> Keys:
    """Remove the views that meet all conditions on artists, entries and views; return their keys, ascending.

    Each takes the next number of the sequence. Entries and artists that are left empty go, too.
    """
    found = (
        select(views.c.key, entries.c.number.label("entry"), entries.c.artist)
        .join(entries, views.c.entry == entries.c.number)
        .join(artists, entries.c.artist == artists.c.number)
        .where(*scope)
    )
    # Sorted here: asked for this order, SQLite reads all views there are in order of their keys.
    rows = sorted(connection.execute(found))
    if not rows:
        return np.empty(0, np.int64)
    first = _advance(connection, len(rows))
    ended = [{"sequence": first + place, "key": row.key} for place, row in enumerate(rows)]
    _execute_many(connection, insert(endings), ended)
    _delete_views(connection, [row.key for row in rows])
    no_views = ~exists().where(views.c.entry == entries.c.number)
    no_entries = ~exists().where(entries.c.artist == artists.c.number)
    gone_entries = _delete_empty(connection, entries.c.number, {row.entry for row in rows}, no_views)
    gone_artists = _delete_empty(connection, artists.c.number, {row.artist for row in rows}, no_entries)
    _count(connection, views=-len(rows), entries=-gone_entries, artists=-gone_artists)
    return np.array([row.key for row in rows], np.int64)


def _advance(connection: Connection, by: int) -> int:
    """Take the next `by` numbers of the sequence and return the first of them."""
    taken = update(state).values(sequence=state.c.sequence + by).returning(state.c.sequence)
    return int(connection.execute(taken).scalar_one()) - by + 1


def _count(connection: Connection, *, artists: int = 0, entries: int = 0, views: int = 0) -> None:
    """Change how many rows are live."""
    if artists or entries or views:
        changed = update(state).values(
            artists=state.c.artists + artists, entries=state.c.entries + entries, views=state.c.views + views
        )
        connection.execute(changed)


def _puts(
    prepared: Sequence[Prepared], names: Sequence[Name], before: Mapping[Name, Version], *, first: int, now_us: int
) -> list[Put]:
    """Number the views in order and say what each replaces."""
    live = {name: version.key for name, version in before.items()}
    puts = []
    for key, (item, name) in enumerate(zip(prepared, names, strict=True), first):
        created_us = before[name].created_us if name in before else now_us
        puts.append(item.put(key, live.get(name), created_us=created_us, updated_us=now_us))
        live[name] = key
    return puts


def _delete_views(connection: Connection, keys: Sequence[int]) -> None:
    _execute_many(connection, delete(views).where(views.c.key == bindparam("ended")), [{"ended": key} for key in keys])


def _delete_empty(connection: Connection, number: Column[Any], candidates: set[int], empty: ColumnElement[bool]) -> int:
    """Delete those rows among the candidates that are empty and return how many they were."""
    deleted = 0
    for chunk in chunked(candidates):
        deleted += connection.execute(delete(number.table).where(number.in_(chunk), empty)).rowcount
    return deleted


def _execute_many(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
    # SQLAlchemy takes an empty list for one row of defaults.
    if rows:
        connection.execute(statement, rows)
