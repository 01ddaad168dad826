"""The catalogue in an SQL database, by SQLAlchemy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Event

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, delete, insert, select

from arthur.catalog import ArtistRow, EntryRow, Page, embedders, reading
from arthur.catalog.api_keys import api_keys_revision, list_api_keys, note_api_key_uses, put_api_keys
from arthur.catalog.commits import GroupCommit
from arthur.catalog.database import Database
from arthur.catalog.faults import store_errors
from arthur.catalog.likenesses import list_likenesses, put_likenesses
from arthur.catalog.lists import list_artists, list_entries, list_views
from arthur.catalog.migrate import bring_up_to_date
from arthur.catalog.records import Prepared, prepare, select_views
from arthur.catalog.schema import artists, entries, notes, views
from arthur.catalog.signs import SqlSigns
from arthur.catalog.sql_jobs import SqlJobBook
from arthur.catalog.sql_match_log import SqlMatchLog
from arthur.catalog.sql_outbox import SqlOutbox
from arthur.catalog.sql_queue import SqlJobQueue
from arthur.catalog.writing import put_views, remove_views
from arthur.errors import ArthurError, BadRequest, StoreError
from arthur.types import (
    ApiKey,
    Changes,
    Counts,
    FeatureChanges,
    Keys,
    KnownEngine,
    Likeness,
    LikenessKind,
    NewView,
    Passport,
    Put,
    StoredLikeness,
    StoredView,
    Vectors,
    ViewId,
)

__all__ = ["SqlCatalog"]

# Calls of `put` that share a transaction: enough for all threads of a process, few enough for a short wait.
_LARGEST_GROUP = 64
# Vectors that one transaction drops: the next writer waits no longer than for some uploads.
_DROPPED_AT_ONCE = 5000


class SqlCatalog:
    """See Catalog. Opening it brings the schema up to date."""

    def __init__(self, database: Database, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        """Open the catalogue in `database`, which is closed with it; `clock_ns` tells nanoseconds since 1970 UTC.

        Raises:
            ConfigError: the database is of a newer Arthur or of another program.
            StoreError: the database does not answer.
        """
        self._database = database
        self._clock_ns = clock_ns
        self._closed = False
        self._commits: GroupCommit[list[Prepared], list[Put]] = GroupCommit(self._put, largest=_LARGEST_GROUP)
        self._asking = partial(self._within, database.asker)
        self._reading = partial(self._within, database.reader)
        self._writing = partial(self._within, database.writer)
        self._writing_alone = partial(self._alone, database.writer)
        self.outbox = SqlOutbox(self._reading, self._writing_alone)
        self.jobs = SqlJobBook(self._reading, self._writing_alone)
        self.queue = SqlJobQueue(self._reading, partial(self._alone, database.queue), self._writing_alone)
        self.match_log = SqlMatchLog(self._reading, self._writing_alone)
        self.signs = SqlSigns(self._reading, self._writing_alone)
        try:
            with self._answering():
                bring_up_to_date(database)
        except ArthurError:
            database.close()
            raise

    def put(self, views: Sequence[NewView]) -> list[Put]:
        """See Catalog.put. Concurrent calls share a transaction."""
        prepared = prepare(views)
        return self._commits(prepared) if prepared else []

    def remove(self, artist_id: str, entry_id: str | None = None, view_id: str | None = None) -> Keys:
        """See Catalog.remove."""
        if entry_id is None and view_id is not None:
            raise BadRequest("a view is removed by its artist_id, entry_id and view_id")
        scope = [artists.c.artist_id == artist_id]
        if entry_id is not None:
            scope.append(entries.c.entry_id == entry_id)
        if view_id is not None:
            scope.append(views.c.view_id == view_id)
        with self._writing_alone() as connection:
            return remove_views(connection, scope)

    def view(self, view: ViewId) -> StoredView | None:
        """See Catalog.view."""
        query = select_views().where(
            artists.c.artist_id == view.artist_id,
            entries.c.entry_id == view.entry_id,
            views.c.view_id == view.view_id,
        )
        with self._asking() as connection:
            return reading.one_view(connection, query)

    def find(self, vector_id: str) -> StoredView | None:
        """See Catalog.find. Of views that share a vector_id the newest is found."""
        query = select_views().where(views.c.vector_id == vector_id).order_by(views.c.key.desc()).limit(1)
        with self._asking() as connection:
            return reading.one_view(connection, query)

    def views(self, keys: Keys) -> Mapping[int, StoredView]:
        """See Catalog.views."""
        with self._asking() as connection:
            return reading.views_by_key(connection, keys)

    def vectors(self, keys: Keys, fingerprint: str) -> Mapping[int, NDArray[np.float32]]:
        """See Catalog.vectors."""
        with self._asking() as connection:
            return reading.vectors(connection, keys, fingerprint)

    def features(self, keys: Keys, fingerprint: str) -> Mapping[int, bytes]:
        """See Catalog.features."""
        with self._asking() as connection:
            return reading.features(connection, keys, fingerprint)

    def views_of(self, artist_id: str, entry_id: str | None, *, cursor: str | None, limit: int) -> Page[StoredView]:
        """See Catalog.views_of."""
        with self._reading() as connection:
            return list_views(connection, artist_id, entry_id, cursor=cursor, limit=limit)

    def artists(self, *, cursor: str | None, limit: int, only: Sequence[str] | None = None) -> Page[ArtistRow]:
        """See Catalog.artists."""
        with self._reading() as connection:
            return list_artists(connection, cursor=cursor, limit=limit, only=only)

    def entries(self, artist_id: str, *, cursor: str | None, limit: int) -> Page[EntryRow]:
        """See Catalog.entries."""
        with self._reading() as connection:
            return list_entries(connection, artist_id, cursor=cursor, limit=limit)

    def artist_numbers(self, artist_ids: Sequence[str]) -> tuple[int, ...]:
        """See Catalog.artist_numbers."""
        with self._asking() as connection:
            return reading.artist_numbers(connection, artist_ids)

    def counts(self) -> Counts:
        """See Catalog.counts. Costs microseconds."""
        with self._answering():
            return self._database.state().counts

    def latest(self) -> int:
        """See Catalog.latest."""
        with self._answering():
            return self._database.state().sequence

    def wait(self, since: int, timeout_s: float, given_up: Event | None = None) -> int:
        """See Catalog.wait."""
        with self._answering():
            return self._database.state.wait(since, timeout_s, given_up or Event()).sequence

    def changes(self, since: int, limit: int, fingerprint: str) -> Changes:
        """See Catalog.changes."""
        reading.check_stretch(since, limit)
        with self._reading() as connection:
            return reading.changes(connection, since, limit, fingerprint)

    def feature_changes(self, since: int, limit: int, fingerprint: str) -> FeatureChanges:
        """See Catalog.feature_changes."""
        reading.check_stretch(since, limit)
        with self._reading() as connection:
            return reading.feature_changes(connection, since, limit, fingerprint)

    def put_likenesses(self, found: Sequence[Likeness], *, compared: Sequence[int] = ()) -> None:
        """See Catalog.put_likenesses."""
        if found or compared:
            with self._writing_alone() as connection:
                put_likenesses(connection, found, compared)

    def likenesses(
        self, kind: LikenessKind, *, cursor: str | None, limit: int, only: Sequence[str] | None = None
    ) -> Page[StoredLikeness]:
        """See Catalog.likenesses."""
        with self._reading() as connection:
            return list_likenesses(connection, kind, cursor=cursor, limit=limit, only=only)

    def engine(self) -> str:
        """See Catalog.engine."""
        with self._answering():
            now = self._database.state()
            return now.engine if now.counts.views else ""

    def engines(self) -> tuple[KnownEngine, ...]:
        """See Catalog.engines."""
        with self._reading() as connection:
            return embedders.known_engines(connection)

    def unembedded(self, fingerprint: str, since: int, limit: int) -> Keys:
        """See Catalog.unembedded."""
        reading.check_stretch(since, limit)
        with self._reading() as connection:
            return embedders.unembedded(connection, fingerprint, since, limit)

    def put_vectors(self, keys: Keys, vectors: Vectors, fingerprint: str, *, passport: Passport | None = None) -> int:
        """See Catalog.put_vectors."""
        if not len(keys):
            return 0
        with self._writing_alone() as connection:
            return embedders.put_vectors(connection, keys, vectors, fingerprint, passport)

    def switch(self, fingerprint: str) -> int:
        """See Catalog.switch."""
        with self._writing_alone() as connection:
            return embedders.switch(connection, fingerprint)

    def drop_vectors(self, fingerprint: str) -> int:
        """See Catalog.drop_vectors."""

        def some() -> int:
            with self._writing_alone() as connection:
                return embedders.drop_some(connection, fingerprint, _DROPPED_AT_ONCE)

        return sum(iter(some, 0))

    def passports(self) -> Mapping[str, str]:
        """See Catalog.passports."""
        with self._reading() as connection:
            return embedders.passport_documents(connection)

    def note(self, name: str) -> str | None:
        """See Catalog.note."""
        with self._asking() as connection:
            return connection.scalar(select(notes.c.value).where(notes.c.name == name))

    def put_note(self, name: str, value: str) -> None:
        """See Catalog.put_note."""
        with self._writing_alone() as connection:
            connection.execute(delete(notes).where(notes.c.name == name))
            connection.execute(insert(notes).values(name=name, value=value))

    def put_api_keys(self, keys: Sequence[ApiKey]) -> None:
        """See Catalog.put_api_keys."""
        with self._writing_alone() as connection:
            put_api_keys(connection, keys)

    def api_keys(self) -> tuple[ApiKey, ...]:
        """See Catalog.api_keys."""
        with self._reading() as connection:
            return list_api_keys(connection)

    def api_keys_revision(self) -> int:
        """See Catalog.api_keys_revision."""
        with self._reading() as connection:
            return api_keys_revision(connection)

    def note_api_key_uses(self, used_us: Mapping[str, int]) -> None:
        """See Catalog.note_api_key_uses."""
        if used_us:
            with self._writing_alone() as connection:
                note_api_key_uses(connection, used_us)

    def close(self) -> None:
        """See Catalog.close."""
        self._closed = True
        self._database.close()

    def _put(self, group: Sequence[list[Prepared]]) -> list[list[Put]]:
        """Put what several callers want in one transaction."""
        everything = [item for prepared in group for item in prepared]
        with self._writing() as connection:
            makers = embedders.makers_of(connection, everything)
            puts = iter(put_views(connection, everything, makers, now_us=self._clock_ns() // 1000))
            # Taken apart as it was put together.
            return [[next(puts) for _ in prepared] for prepared in group]

    @contextmanager
    def _answering(self) -> Iterator[None]:
        if self._closed:
            raise StoreError("the catalogue is closed")
        with store_errors():
            yield

    @contextmanager
    def _within(self, engine: Engine) -> Iterator[Connection]:
        with self._answering(), engine.begin() as connection:
            yield connection

    @contextmanager
    def _alone(self, engine: Engine) -> Iterator[Connection]:
        with self._commits.alone(), self._within(engine) as connection:
            yield connection
