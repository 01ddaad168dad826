"""Port of the catalogue: the one truth about artists, entries, views and their vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from arthur.catalog.jobs import JobBook, JobQueue
from arthur.catalog.match_log import MatchLog
from arthur.catalog.outbox import Outbox
from arthur.catalog.signs import Signs
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

Row = TypeVar("Row")

__all__ = ["ArtistRow", "Catalog", "EntryRow", "JobBook", "JobQueue", "Outbox", "Page", "Signs", "open_catalog"]


@dataclass(frozen=True, slots=True)
class ArtistRow:
    """An artist as lists show it. `number` is the int64 by which indices filter."""

    artist_id: str
    number: int
    entries: int
    views: int


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry (artwork) as lists show it."""

    artist_id: str
    entry_id: str
    views: int


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list; `next_cursor` is opaque and None on the last page."""

    rows: tuple[Row, ...]
    next_cursor: str | None


class Catalog(Protocol):
    """Views by id and by key, with the history that followers replay.

    Every method may be called from any thread and blocks. A write that returned survives `kill -9` and power loss.
    The sequence is a counter raised by every change: a put takes one number, which is the view's key; each view that
    a removal ends takes one number too. Writes of all processes on the catalogue are ordered by it.
    Any method raises StoreError when the database does not answer, is locked for too long, full or corrupt.
    """

    def put(self, views: Sequence[NewView]) -> list[Put]:
        """Put views in one transaction, in order; a view of the same name is replaced and its key ends.

        The vectors must be of the engine in force. A catalogue without views takes any, which is in force from then on.

        Raises:
            EngineReplaced: they are of another. Nothing was put.
            BadRequest: a vector is not a finite row of length 1, metadata is longer than 64 KiB or nested deeper
                than 32, or a field cannot be kept. Nothing was put.
            EngineMismatch: more than one fingerprint or length was given, or one that is known with another length.
        """
        ...

    def remove(self, artist_id: str, entry_id: str | None = None, view_id: str | None = None) -> Keys:
        """Remove a view, an entry or an artist with all below; return the ended keys, empty if nothing was there.

        Raises:
            BadRequest: a view_id came without its entry_id.
        """
        ...

    def view(self, view: ViewId) -> StoredView | None:
        """Return the live view of that name."""
        ...

    def find(self, vector_id: str) -> StoredView | None:
        """Return the live view with that vector_id (lower case UUID); the newest of several.

        Names whose parts join to the same dotted name share one: "a.b" > "c" > "d" and "a" > "b.c" > "d".
        """
        ...

    def views(self, keys: Keys) -> Mapping[int, StoredView]:
        """Return the live views among `keys`; keys that ended are missing from the answer."""
        ...

    def vectors(self, keys: Keys, fingerprint: str) -> Mapping[int, NDArray[np.float32]]:
        """Return the `(dim,)` float32 unit rows of the live views among `keys` that have one of this engine."""
        ...

    def features(self, keys: Keys, fingerprint: str) -> Mapping[int, bytes]:
        """Return the packed local features of the live views among `keys` that have some of this verifier."""
        ...

    def views_of(self, artist_id: str, entry_id: str | None, *, cursor: str | None, limit: int) -> Page[StoredView]:
        """List an artist's or an entry's views in order of their ids, compared as bytes; 1 <= limit <= 1000.

        Raises:
            BadRequest: the limit is out of range, or the cursor was not given by this list. So do the other lists.
        """
        ...

    def artists(self, *, cursor: str | None, limit: int, only: Sequence[str] | None = None) -> Page[ArtistRow]:
        """List artists that have views, in order of their ids; of `only` these artists, unless it is None."""
        ...

    def entries(self, artist_id: str, *, cursor: str | None, limit: int) -> Page[EntryRow]:
        """List an artist's entries that have views, in order of their ids."""
        ...

    def artist_numbers(self, artist_ids: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of those artists that exist; the order is not kept."""
        ...

    def counts(self) -> Counts:
        """Count artists, entries and views that are live."""
        ...

    def latest(self) -> int:
        """Return the newest committed sequence, of any process; 0 for a new catalogue. Costs microseconds."""
        ...

    def wait(self, since: int, timeout_s: float, given_up: Event | None = None) -> int:
        """Return `latest()` as soon as it is not `since`, or after `timeout_s`. Costs next to nothing meanwhile.

        Once the waiting is `given_up`, by another thread, it returns what it saw last, within a tenth of a second.
        """
        ...

    def changes(self, since: int, limit: int, fingerprint: str) -> Changes:
        """Return up to `limit` changes after `since`, with the vectors of one engine.

        Applying the answers in turn from any `since` a follower has reached gives that follower exactly the live views
        that have a vector of the engine. For an engine that is not in force an answer ends before the first live view
        that lacks its vector, so a follower never passes a view that will get one later. A follower that is ahead of
        the catalogue, which a restored backup can bring about, is told so by `upto < since` and has to begin again
        at 0.
        """
        ...

    def feature_changes(self, since: int, limit: int, fingerprint: str) -> FeatureChanges:
        """As `changes`, with the packed local features of one verifier; views without any are left out."""
        ...

    def put_likenesses(self, found: Sequence[Likeness], *, compared: Sequence[int] = ()) -> None:
        """Remember pairs of views that look alike; what was known of a pair is replaced. Ended keys are ignored.

        Views that were `compared` again lose the pairs with older views that are not among those found.
        """
        ...

    def likenesses(
        self, kind: LikenessKind, *, cursor: str | None, limit: int, only: Sequence[str] | None = None
    ) -> Page[StoredLikeness]:
        """List pairs of live views, those with the newest view first; both of `only` these artists, unless None."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What webhooks are told of."""
        ...

    @property
    def jobs(self) -> JobBook:
        """Jobs, for people."""
        ...

    @property
    def queue(self) -> JobQueue:
        """Jobs, for workers."""
        ...

    @property
    def match_log(self) -> MatchLog:
        """What was answered to photos."""
        ...

    @property
    def signs(self) -> Signs:
        """What the processes on the catalogue tell each other."""
        ...

    def engine(self) -> str:
        """Return the fingerprint of the engine in force; "" while there are no views. Costs microseconds."""
        ...

    def engines(self) -> tuple[KnownEngine, ...]:
        """Return the engines that the catalogue knows, in the order in which it came to know them."""
        ...

    def unembedded(self, fingerprint: str, since: int, limit: int) -> Keys:
        """Return up to `limit` keys above `since`, ascending, of live views without a vector of that engine."""
        ...

    def put_vectors(self, keys: Keys, vectors: Vectors, fingerprint: str, *, passport: Passport | None = None) -> int:
        """Put `(n, dim)` vectors of any engine beside those that live views have; return how many are new.

        Keys that ended, and views that have a vector of that engine, are passed over. The sequence stays as it is.

        Raises:
            BadRequest: a vector is not a finite row of length 1. Nothing was put.
            EngineMismatch: the catalogue knows the engine with another length.
        """
        ...

    def switch(self, fingerprint: str) -> int:
        """Put another engine in force, if every live view has its vector; else return how many have not.

        One transaction: a put before it was of the engine before, a put after it must be of the new one.

        Raises:
            Conflict: there are no views, so there is nothing to be switched.
        """
        ...

    def drop_vectors(self, fingerprint: str) -> int:
        """Forget an engine and its vectors, in transactions of bounded size; return how many vectors there were.

        Raises:
            Conflict: it is in force.
        """
        ...

    def passports(self) -> Mapping[str, str]:
        """Return the documents of all passports by id."""
        ...

    def note(self, name: str) -> str | None:
        """Return a remembered value (calibrations, settings of the catalogue)."""
        ...

    def put_note(self, name: str, value: str) -> None:
        """Remember a value under a name, replacing what was there."""
        ...

    def put_api_keys(self, keys: Sequence[ApiKey]) -> None:
        """Put API keys in one transaction; one of the same key_id is replaced, except that it stays revoked if it was.

        `used_us` is not changed by this.
        """
        ...

    def api_keys(self) -> tuple[ApiKey, ...]:
        """Return all API keys, also those that are expired or revoked, oldest first."""
        ...

    def api_keys_revision(self) -> int:
        """Return a number that each put of API keys raises; 0 when there never was one. Costs microseconds."""
        ...

    def note_api_key_uses(self, used_us: Mapping[str, int]) -> None:
        """Remember when keys, by key_id, were last used; an earlier time than the known one changes nothing."""
        ...

    def close(self) -> None:
        """Release connections. Closing twice is allowed."""
        ...


def open_catalog(url: str) -> Catalog:
    """Open the catalogue at `url`, made if missing, and bring its schema up to date.

    `sqlite:////absolute/path.db` and `sqlite:///relative/path.db` name a SQLite file,
    `postgresql://user:password@host:port/database` a database of a PostgreSQL server, which must be there.

    Raises:
        ConfigError: the URL is not of a known form, the driver is not installed, or the database is of a newer Arthur
            or of another program.
        StoreError: the database does not answer, or its file is damaged.
    """
    # Imported here: the port must not need its adapters.
    from arthur.catalog.opening import open_database
    from arthur.catalog.sql import SqlCatalog

    return SqlCatalog(open_database(url))
