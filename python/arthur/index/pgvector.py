"""Vectors in PostgreSQL with the extension pgvector: one index for all processes, searched on the server."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from arthur.arrays import check_k, numbers
from arthur.errors import BadRequest, StoreError
from arthur.index.arrays import check_unit, rows
from arthur.postgres import Connector, PatientConnection, is_cut_off, parameters
from arthur.types import Filter, JsonValue, Keys, Neighbors, Vectors

__all__ = ["PgvectorIndex"]

_PATIENCE_S = 45.0
_WRITE_PATIENCE_S = 1800.0
_IDLE = 8
_SEARCH = {"hnsw.ef_search": "200", "hnsw.iterative_scan": "strict_order", "hnsw.max_scan_tuples": "200000"}

_MAKE = """
SELECT pg_advisory_xact_lock(hashtext('arthur'), hashtext('index'));
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
CREATE TABLE IF NOT EXISTS arthur_indices (
    name text PRIMARY KEY, dim int NOT NULL, sequence bigint NOT NULL, keys bigint NOT NULL
);
DELETE FROM arthur_indices WHERE name = {name} AND to_regclass({quoted}) IS NULL;
CREATE TABLE IF NOT EXISTS {table} (key bigint PRIMARY KEY, artist bigint, vector halfvec({dim}));
CREATE INDEX IF NOT EXISTS {artists} ON {table} (artist) WHERE vector IS NOT NULL;
INSERT INTO arthur_indices (name, dim, sequence, keys) VALUES ({name}, {dim}, 0, 0) ON CONFLICT DO NOTHING;
"""
_BUILD = """
SET LOCAL maintenance_work_mem = '1GB';
CREATE INDEX IF NOT EXISTS {graph} ON {table} USING hnsw (vector halfvec_ip_ops) WITH (m = 16, ef_construction = 128)
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('arthur'), hashtext({name}))"
_PUT = """
WITH new AS (
    INSERT INTO {table} SELECT DISTINCT ON (key) key, artist, vector FROM arriving ORDER BY key, place
    ON CONFLICT DO NOTHING RETURNING key
)
UPDATE arthur_indices SET keys = keys + (SELECT count(*) FROM new) WHERE name = {name}
"""
_REMOVE = """
WITH gone AS (
    UPDATE {table} SET vector = NULL WHERE key = ANY(%(keys)s::bigint[]) AND vector IS NOT NULL RETURNING key
),
told AS (UPDATE arthur_indices SET keys = keys - (SELECT count(*) FROM gone) WHERE name = {name})
SELECT count(*) FROM gone
"""
_EXACT = """
WITH chosen AS MATERIALIZED (SELECT key, vector FROM {table} WHERE vector IS NOT NULL {filter})
SELECT key, -(vector <#> %(query)s::halfvec) FROM chosen ORDER BY vector <#> %(query)s::halfvec LIMIT %(k)s
"""
_GRAPH = """
SELECT key, -(vector <#> %(query)s::halfvec) FROM {table} WHERE vector IS NOT NULL {filter}
ORDER BY vector <#> %(query)s::halfvec LIMIT %(k)s
"""
_FILTER = "AND artist = ANY(%(artists)s::bigint[])"


class _Away(StoreError):
    """No connection could be made."""


@dataclass(frozen=True, slots=True)
class _State:
    sequence: int
    keys: int


class PgvectorIndex:
    """See VectorIndex. Every method is one or two round trips; writers of all processes follow one another.

    Up to `exact_rows` rows, of all or of those that a filter leaves, are compared one by one: below that no graph is
    faster, and a graph under a narrow filter misses most of what it should find. A key that was removed keeps its
    row, without a vector, so that a slower process which replays the same history cannot bring it back.
    """

    def __init__(self, url: str, *, dim: int, fingerprint: str, exact_rows: int = 20_000) -> None:
        """Open the table for vectors of `dim` values of that engine, made if it is missing.

        A database that is away now is no error yet: whoever asks later makes the table.

        Raises:
            ConfigError: the URL cannot be read.
            StoreError: the database lacks the extension pgvector, or refuses.
        """
        self._dim = dim
        self._exact_rows = exact_rows
        self._connect = Connector(parameters(url, **_SEARCH), patience_s=_PATIENCE_S)
        self._idle: deque[PatientConnection] = deque()
        self._closed = False
        table = f"arthur_index_{blake2b(fingerprint.encode(), digest_size=12).hexdigest()}"
        self._names = {
            "table": sql.Identifier(table),
            "quoted": sql.Literal(f'"{table}"'),
            "graph": sql.Identifier(f"{table}_graph"),
            "artists": sql.Identifier(f"{table}_artists"),
            "name": sql.Literal(fingerprint),
            "dim": sql.Literal(dim),
        }
        self._made = False
        with suppress(_Away), self._connected():
            pass

    @property
    def sequence(self) -> int:
        """See VectorIndex.sequence."""
        return self._state().sequence

    def __len__(self) -> int:
        """See VectorIndex.__len__."""
        return self._state().keys

    def put(self, keys: Keys, vectors: Vectors, artists: Keys) -> None:
        """See VectorIndex.put."""
        keys, artists, vectors = numbers(keys, "keys"), numbers(artists, "artists"), rows(vectors, self._dim)
        if not len(keys) == len(vectors) == len(artists):
            raise BadRequest("keys, vectors and artists must be of the same length")
        if (keys < 0).any():
            raise BadRequest("keys must not be negative")
        check_unit(vectors)
        arriving = "CREATE TEMP TABLE arriving (place int, key bigint, artist bigint, vector halfvec) ON COMMIT DROP"
        with self._writing() as connection:
            connection.execute(arriving)
            with connection.cursor().copy("COPY arriving FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(_copied(keys, artists, vectors))
            connection.execute(self._said(_PUT))

    def remove(self, keys: Keys) -> int:
        """See VectorIndex.remove."""
        gone = numbers(keys, "keys").tolist()
        with self._writing() as connection:
            (count,) = connection.execute(self._said(_REMOVE), {"keys": gone}).fetchone() or (0,)
            never_put = "INSERT INTO {table} (key) SELECT DISTINCT unnest(%s::bigint[]) ON CONFLICT DO NOTHING"
            connection.execute(self._said(never_put), [gone])
        return int(count)

    def advance(self, sequence: int) -> None:
        """See VectorIndex.advance."""
        query = "UPDATE arthur_indices SET sequence = greatest(sequence, %s) WHERE name = {name}"
        with self._connected() as connection:
            connection.execute(self._said(query), [sequence])

    def search(self, vectors: Vectors, k: int, *, where: Filter | None = None) -> Neighbors:
        """See VectorIndex.search."""
        check_k(k)
        queries = rows(vectors, self._dim)
        check_unit(queries)
        answer = Neighbors(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))
        artists = None if where is None else list(where.artists)
        with self._connected() as connection:
            exactly = self._matching(connection, artists) <= self._exact_rows
            statement = self._said(_EXACT if exactly else _GRAPH, filtered=artists is not None)
            for row, query in enumerate(queries):
                asked = {"query": str(query.tolist()), "k": k, "artists": artists}
                found = connection.execute(statement, asked, prepare=False).fetchall()
                answer.keys[row, : len(found)] = [key for key, _ in found]
                answer.scores[row, : len(found)] = [score for _, score in found]
        return answer

    def checkpoint(self) -> None:
        """See VectorIndex.checkpoint. The database keeps everything at once; this makes the graph once it pays.

        Until then all rows are compared. Searches go on while it is made, writers wait.
        """
        if len(self) > self._exact_rows:
            with self._writing(f"{_LOCK};{_BUILD}"):
                pass

    def stats(self) -> Mapping[str, JsonValue]:
        """See VectorIndex.stats."""
        with self._connected() as connection:
            size = self._said("SELECT pg_total_relation_size(to_regclass({quoted}))")
            (disk_bytes,) = connection.execute(size).fetchone() or (0,)
        state = self._state()
        return {"kind": "pgvector", "keys": state.keys, "sequence": state.sequence, "disk_bytes": int(disk_bytes)}

    def close(self) -> None:
        """See VectorIndex.close."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _state(self) -> _State:
        with self._connected() as connection:
            query = self._said("SELECT sequence, keys FROM arthur_indices WHERE name = {name}")
            found = connection.execute(query).fetchone()
        if found is None:
            self._made = False
            raise StoreError("the index was removed from its database")
        return _State(*found)

    def _matching(self, connection: PatientConnection, artists: list[int] | None) -> int:
        """Count the rows that a search may find, as far as it matters."""
        if artists is None:
            query, given = "SELECT keys FROM arthur_indices WHERE name = {name}", {}
        else:
            some = f"SELECT 1 FROM {{table}} WHERE vector IS NOT NULL {_FILTER} LIMIT {self._exact_rows + 1}"  # noqa: S608  # a number and our own words
            query, given = f"SELECT count(*) FROM ({some}) AS few", {"artists": artists}  # noqa: S608  # as above
        (count,) = connection.execute(self._said(query), given).fetchone() or (0,)
        return int(count)

    def _said(self, statement: str, *, filtered: bool = False) -> sql.Composed:
        return sql.SQL(statement).format(**self._names, filter=sql.SQL(_FILTER if filtered else ""))

    @contextmanager
    def _writing(self, first: str = _LOCK) -> Iterator[PatientConnection]:
        with self._connected() as connection, self._transaction(connection, first):
            yield connection

    @contextmanager
    def _transaction(self, connection: PatientConnection, first: str) -> Iterator[None]:
        with _unhurried(connection), connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            for statement in filter(str.strip, first.split(";")):
                connection.execute(self._said(statement))
            yield

    def _make(self, connection: PatientConnection) -> None:
        """Make the table, once. May be done by many."""
        if not self._made:
            with self._transaction(connection, _MAKE):
                pass
            self._made = True

    @contextmanager
    def _connected(self) -> Iterator[PatientConnection]:
        """Lend a connection; one that failed is not used again."""
        if self._closed:
            raise StoreError("the index is closed")
        try:
            connection = self._idle_one() or self._connect()
        except psycopg.Error as error:
            raise _Away("the index's database does not answer") from error
        with ExitStack() as failing:
            failing.callback(connection.close)
            try:
                self._make(connection)
                yield connection
            except psycopg.errors.UndefinedTable as error:
                self._made = False
                raise StoreError("the index was removed from its database, and will be made again") from error
            except psycopg.errors.UndefinedFile as error:
                raise StoreError("the index's database lacks the extension pgvector") from error
            except psycopg.Error as error:
                raise StoreError("the index's database does not answer as expected") from error
            if len(self._idle) < _IDLE and not self._closed:
                failing.pop_all()
                self._idle.append(connection)

    def _idle_one(self) -> PatientConnection | None:
        with suppress(IndexError):
            while is_cut_off(connection := self._idle.pop()):
                connection.close()
            return connection
        return None


@contextmanager
def _unhurried(connection: PatientConnection) -> Iterator[None]:
    """Wait longer for the server than a search may: rows go into a graph one by one."""
    connection.patience_s, before = _WRITE_PATIENCE_S, connection.patience_s
    try:
        yield
    finally:
        connection.patience_s = before


def _copied(keys: Keys, artists: Keys, vectors: NDArray[np.float32]) -> bytes:
    """Return rows in COPY's binary format; a halfvec is its length, two bytes of nothing and big-endian float16."""
    dim = vectors.shape[1]
    halves = vectors.astype(">f2")
    parts = [b"PGCOPY\n\xff\r\n\x00", bytes(8)]
    for place, (key, artist, half) in enumerate(zip(keys.tolist(), artists.tolist(), halves, strict=True)):
        parts.append(struct.pack("!hiiiqiqiHH", 4, 4, place, 8, key, 8, artist, 4 + 2 * dim, dim, 0))
        parts.append(half.tobytes())
    return b"".join([*parts, struct.pack("!h", -1)])
