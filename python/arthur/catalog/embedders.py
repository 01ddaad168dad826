"""Engines in the SQL catalogue: which is in force, which views each embedded, and how one takes another's place.

Each function works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, literal, select, update

from arthur.catalog.chunks import chunked
from arthur.catalog.records import Prepared
from arthur.catalog.schema import embeddings, engines, passports, state, views
from arthur.catalog.vectors import encode_vector
from arthur.catalog.writing import Makers, verifier_numbers
from arthur.errors import Conflict, EngineMismatch, EngineReplaced
from arthur.types import Keys, KnownEngine, Passport, Vectors

__all__ = [
    "agree",
    "drop_some",
    "engine_number",
    "first_unembedded",
    "known_engines",
    "makers_of",
    "passport_documents",
    "passport_numbers",
    "put_vectors",
    "switch",
    "unembedded",
]


def makers_of(connection: Connection, views: Sequence[Prepared]) -> Makers:
    """Return the numbers of what made the views to be put; what is new is made known.

    Raises:
        EngineMismatch: an engine is known with another length of vectors.
        EngineReplaced: another engine is in force.
    """
    # By length, too: two callers may give one fingerprint different ones, and one of them is wrong.
    kinds = {(item.new.fingerprint, len(item.new.vector)) for item in views}
    shown = {item.new.fingerprint: item.new.passport for item in views}
    makers = Makers(
        engines={name: engine_number(connection, name, dim, shown[name]) for name, dim in sorted(kinds)},
        verifiers=verifier_numbers(connection, views),
        passports=passport_numbers(connection, [item.new.passport for item in views]),
    )
    agree(connection, makers.engines)
    return makers


def engine_number(connection: Connection, fingerprint: str, dim: int, passport: Passport | None) -> int:
    """Return the number of the engine, which is made known when it is new, and from where it was loaded.

    Raises:
        EngineMismatch: the engine is known with another length of vectors.
    """
    known = connection.execute(select(engines).where(engines.c.fingerprint == fingerprint)).one_or_none()
    source = "" if passport is None else passport.source
    if known is None:
        row = {"fingerprint": fingerprint, "dim": dim, "source": source}
        added = insert(engines).values(row).returning(engines.c.number)
        return int(connection.execute(added).scalar_one())
    if known.dim != dim:
        raise EngineMismatch(f"the engine's vectors have {known.dim} numbers in this catalogue, not {dim}")
    if source not in ("", known.source):
        connection.execute(update(engines).where(engines.c.number == known.number).values(source=source))
    return int(known.number)


def agree(connection: Connection, fingerprints: Iterable[str]) -> None:
    """Make sure that all vectors to be put with their views are of the engine in force.

    The first view of a catalogue, or of one that was emptied, puts its engine in force.

    Raises:
        EngineReplaced: they are not.
    """
    wanted = sorted(set(fingerprints))
    now = connection.execute(select(state.c.engine, state.c.views)).one()
    in_force = now.engine if now.views else wanted[0]
    if wanted != [in_force]:
        raise EngineReplaced("the catalogue is embedded by another engine")
    if in_force != now.engine:
        connection.execute(update(state).values(engine=in_force))


def passport_numbers(connection: Connection, shown: Iterable[Passport | None]) -> dict[str, int]:
    """Return the numbers of passports by id; new ones are kept."""
    wanted = {passport.id: passport.document for passport in shown if passport is not None}
    known = select(passports.c.passport_id, passports.c.number).where(passports.c.passport_id.in_(wanted))
    numbers = {row.passport_id: int(row.number) for row in connection.execute(known)} if wanted else {}
    for name in sorted(wanted.keys() - numbers.keys()):
        added = insert(passports).values(passport_id=name, document=wanted[name]).returning(passports.c.number)
        numbers[name] = int(connection.execute(added).scalar_one())
    return numbers


def passport_documents(connection: Connection) -> dict[str, str]:
    """See Catalog.passports."""
    rows = connection.execute(select(passports.c.passport_id, passports.c.document))
    return {row.passport_id: row.document for row in rows}


def known_engines(connection: Connection) -> tuple[KnownEngine, ...]:
    """See Catalog.engines."""
    now = connection.execute(select(state.c.engine, state.c.previous_engine)).one()
    counted = select(embeddings.c.engine, func.count()).group_by(embeddings.c.engine)
    counts = {number: int(count) for number, count in connection.execute(counted)}
    return tuple(
        KnownEngine(
            fingerprint=row.fingerprint,
            dim=row.dim,
            source=row.source,
            vectors=counts.get(row.number, 0),
            in_force=row.fingerprint == now.engine,
            previous=row.fingerprint == now.previous_engine,
        )
        for row in connection.execute(select(engines).order_by(engines.c.number))
    )


def unembedded(connection: Connection, fingerprint: str, since: int, limit: int) -> Keys:
    """See Catalog.unembedded."""
    found = _unembedded(fingerprint).where(views.c.key > since).order_by(views.c.key).limit(limit)
    return np.array(connection.scalars(found).all(), np.int64)


def first_unembedded(connection: Connection, fingerprint: str, since: int, upto: int) -> int | None:
    """Return the first live view in (since, upto] without a vector of that engine."""
    found = _unembedded(fingerprint).where(views.c.key > since, views.c.key <= upto).order_by(views.c.key).limit(1)
    return connection.scalars(found).first()


def put_vectors(
    connection: Connection, keys: Keys, vectors: Vectors, fingerprint: str, passport: Passport | None
) -> int:
    """See Catalog.put_vectors."""
    encoded = {key: encode_vector(vector) for key, vector in zip(keys.tolist(), vectors, strict=True)}
    engine = engine_number(connection, fingerprint, vectors.shape[1], passport)
    number = passport_numbers(connection, [passport]).get(passport.id) if passport is not None else None
    lacking = _lacking(connection, fingerprint, list(encoded))
    rows = [{"key": key, "engine": engine, "vector": encoded[key], "passport": number} for key in lacking]
    if rows:
        connection.execute(insert(embeddings), rows)
    return len(rows)


def switch(connection: Connection, fingerprint: str) -> int:
    """See Catalog.switch."""
    now = connection.execute(select(state.c.engine, state.c.views)).one()
    if not now.views:
        raise Conflict("the catalogue has no views; its first one puts the engine in force")
    lacking = connection.scalar(select(func.count()).select_from(_unembedded(fingerprint).subquery())) or 0
    if lacking:
        return lacking
    if fingerprint != now.engine:
        connection.execute(update(state).values(engine=fingerprint, previous_engine=now.engine))
    return 0


def drop_some(connection: Connection, fingerprint: str, limit: int) -> int:
    """Delete up to `limit` vectors of an engine and return how many; the engine goes when none is left.

    Raises:
        Conflict: it is in force.
    """
    if connection.scalar(select(state.c.engine)) == fingerprint:
        raise Conflict("the engine in force keeps its vectors")
    number = connection.scalar(select(engines.c.number).where(engines.c.fingerprint == fingerprint))
    of = embeddings.c.engine == number
    keys = connection.scalars(select(embeddings.c.key).where(of).limit(limit)).all()
    for chunk in chunked(keys):
        connection.execute(delete(embeddings).where(of, embeddings.c.key.in_(chunk)))
    if not keys:
        connection.execute(delete(engines).where(engines.c.number == number))
        forgotten = update(state).where(state.c.previous_engine == fingerprint).values(previous_engine="")
        connection.execute(forgotten)
    return len(keys)


def _unembedded(fingerprint: str) -> Select[int]:
    """Return the query for keys of live views without a vector of that engine."""
    engine = select(engines.c.number).where(engines.c.fingerprint == literal(fingerprint)).scalar_subquery()
    has = exists().where(and_(embeddings.c.key == views.c.key, embeddings.c.engine == engine))
    return select(views.c.key).where(~has)


def _lacking(connection: Connection, fingerprint: str, keys: Sequence[int]) -> list[int]:
    """Return those keys that are live and have no vector of that engine."""
    found: list[int] = []
    for chunk in chunked(keys):
        found.extend(connection.scalars(_unembedded(fingerprint).where(views.c.key.in_(chunk))))
    return found
