"""Port of the vector indices: which stored vectors are most like this one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from arthur.errors import ConfigError
from arthur.index.qdrant_url import read_url
from arthur.types import Filter, JsonValue, Keys, Neighbors, Vectors

__all__ = ["VectorIndex", "open_index"]


class VectorIndex(Protocol):
    """Vectors by key, derived from the catalog and rebuilt from it at will.

    Every method may be called from any thread at any time; a search sees every `put` and `remove` that
    returned before it began. Vectors are of one engine: `dim` is fixed when the index is opened.
    """

    @property
    def sequence(self) -> int:
        """The catalog sequence up to which changes were applied; 0 for an empty index."""
        ...

    def __len__(self) -> int:
        """Number of keys that can be found."""
        ...

    def put(self, keys: Keys, vectors: Vectors, artists: Keys) -> None:
        """Add `(n,)` keys with their `(n, dim)` unit rows and `(n,)` artist numbers.

        A key already present is left as it is, and a key that was removed stays removed.

        Raises:
            BadRequest: shapes disagree, a row is not a finite unit vector, or a key is negative.
            StoreError: the index cannot take them; none were added.
        """
        ...

    def remove(self, keys: Keys) -> int:
        """Make `keys` unfindable for good and return how many were there. Unknown keys are ignored."""
        ...

    def advance(self, sequence: int) -> None:
        """Note that all changes up to `sequence` have been applied; it never goes back."""
        ...

    def search(self, vectors: Vectors, k: int, *, where: Filter | None = None) -> Neighbors:
        """Return for each of `(n, dim)` unit rows the `k` nearest keys by cosine similarity, best first.

        `k` is 1 to 1000. Equal scores come in any order. Blocks, with the GIL released.

        Raises:
            BadRequest: shapes disagree or `k` is out of range.
            StoreError: the index did not answer.
        """
        ...

    def checkpoint(self) -> None:
        """Make what was applied durable where the index keeps files, so that a restart replays less."""
        ...

    def stats(self) -> Mapping[str, JsonValue]:
        """Sizes and states for operators: segments, tail, tombstones, bytes."""
        ...

    def close(self) -> None:
        """Stop background work and release files. Closing twice is allowed."""
        ...


def open_index(url: str, *, dim: int, fingerprint: str) -> VectorIndex:
    """Open the index that `url` names, for vectors of `dim` values of the engine `fingerprint`.

    `exact:` compares every vector and keeps nothing on disk; `usearch:/folder` keeps graphs in a folder, with the
    options `?tail=30000` (rows compared exactly before they go into a graph) and `threads=2` (that build one).
    `pgvector:postgresql://...` keeps them in a database with the extension pgvector, for all processes, and
    `qdrant://host:6334` (`qdrants://` with TLS) in Qdrant, with the options of `index.qdrant_url`.

    Raises:
        ConfigError: the URL is not of that form.
        StoreError: the folder cannot be used, or the database does not answer or lacks the extension. Qdrant is only
            asked when it is needed.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "pgvector" and rest.startswith(("postgresql://", "postgres://")):
        return _pgvector(rest, dim=dim, fingerprint=fingerprint)
    if scheme in ("qdrant", "qdrants"):
        return _qdrant(url, dim=dim, fingerprint=fingerprint)
    path, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if scheme == "exact" and not rest:
        from arthur.index.exact import ExactIndex

        return ExactIndex(dim=dim)
    if scheme == "usearch" and path:
        from arthur.index.usearch import UsearchIndex

        tail, threads = _number(options, "tail", 30_000), _number(options, "threads", 2)
        if not options:
            return UsearchIndex(Path(path), dim=dim, fingerprint=fingerprint, tail_rows=tail, threads=threads)
    raise ConfigError(
        f"index URL {url!r} is not exact:, usearch:/folder?tail=30000&threads=2, pgvector:postgresql://... or qdrant://..."
    )


def _pgvector(url: str, *, dim: int, fingerprint: str) -> VectorIndex:
    try:
        from arthur.index.pgvector import PgvectorIndex
    except ImportError as error:
        message = "PostgreSQL needs a package that is not installed: pip install 'arthur-imgreco[postgres]'"
        raise ConfigError(message) from error
    return PgvectorIndex(url, dim=dim, fingerprint=fingerprint)


def _qdrant(url: str, *, dim: int, fingerprint: str) -> VectorIndex:
    place, layout = read_url(url)
    try:
        from arthur.index.qdrant import QdrantIndex, connected
    except ImportError as error:
        message = "Qdrant needs a package that is not installed: pip install 'arthur-imgreco[qdrant]'"
        raise ConfigError(message) from error
    return QdrantIndex(connected(place), dim=dim, fingerprint=fingerprint, layout=layout)


def _number(options: dict[str, str], name: str, default: int) -> int:
    value = options.pop(name, str(default))
    if not value.isdecimal():
        raise ConfigError(f"index option {name} must be a whole number, not {value!r}")
    return int(value)
