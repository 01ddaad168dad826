"""One history of a catalogue, told to any index that keeps files: vectors or local features.

Run as a script, `history.py "KIND FOLDER"` applies the history to an index for as long as it lives.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from arthur.index import VectorIndex, open_index
from arthur.local import LocalIndex, open_local
from arthur.types import Keys, Vectors
from tests.local_features import described, photo

DIM = 32
CHANGES = 80
PER_CHANGE = 20

Index = TypeVar("Index", VectorIndex, LocalIndex)


class Kind(ABC, Generic[Index]):
    """One kind of index: how it opens, what a put gives it, and how it is asked."""

    name: str
    patterns: tuple[str, ...]
    """Names of the files of a segment."""

    @abstractmethod
    def opened(self, folder: Path, *, fingerprint: str = "engine-a", tail: int = 64) -> Index:
        """Open the index of a folder."""

    @abstractmethod
    def exact(self) -> Index:
        """Open the measure of this kind."""

    @abstractmethod
    def put(self, index: Index, keys: Keys) -> None:
        """Put rows that depend on the keys alone."""

    @abstractmethod
    def answers(self, index: Index, upto: int, k: int) -> tuple[Keys, NDArray[np.float32]]:
        """Ask for some works of the first changes: keys and scores."""

    def replay(self, index: Index, upto: int) -> Iterator[int]:
        """Apply the changes that the index lacks, one at a time."""
        for change in range(index.sequence, upto):
            index.remove(keys_removed(change))
            self.put(index, keys_put(change))
            index.advance(change + 1)
            yield change

    def replayed(self, index: Index, upto: int) -> Index:
        """Apply all changes that the index lacks."""
        for _ in self.replay(index, upto):
            pass
        return index

    def assert_holds_history(self, index: Index, upto: int) -> None:
        """Compare with the measure."""
        count, scores = self._expected(upto)
        assert len(index) == count
        assert np.allclose(self.answers(index, upto, 5)[1], scores, atol=2e-3)

    @cache  # noqa: B019 - the kinds live as long as the module
    def _expected(self, upto: int) -> tuple[int, NDArray[np.float32]]:
        with closing(self.replayed(self.exact(), upto)) as exact:
            return len(exact), self.answers(exact, upto, 5)[1]


class VectorKind(Kind[VectorIndex]):
    """Unit vectors."""

    name = "vectors"
    patterns = ("segment-*.graph", "segment-*.rows", "segment-*.table", "removed-*")

    def opened(self, folder: Path, *, fingerprint: str = "engine-a", tail: int = 64) -> VectorIndex:
        return open_index(f"usearch:{folder}?tail={tail}", dim=DIM, fingerprint=fingerprint)

    def exact(self) -> VectorIndex:
        return open_index("exact:", dim=DIM, fingerprint="engine-a")

    def put(self, index: VectorIndex, keys: Keys) -> None:
        index.put(keys, rows_of(keys), keys % 9)

    def answers(self, index: VectorIndex, upto: int, k: int) -> tuple[Keys, NDArray[np.float32]]:
        answer = index.search(rows_of(np.arange(0, upto * PER_CHANGE, 7)), k)
        return answer.keys, answer.scores


class LocalKind(Kind[LocalIndex]):
    """Packed local features."""

    name = "features"
    patterns = ("segment-*.signatures", "segment-*.spots", "segment-*.table", "removed-*")

    def opened(self, folder: Path, *, fingerprint: str = "engine-a", tail: int = 64) -> LocalIndex:
        return open_local(f"inverted:{folder}?tail={tail}", fingerprint=fingerprint)

    def exact(self) -> LocalIndex:
        return open_local("exact:", fingerprint="engine-a")

    def put(self, index: LocalIndex, keys: Keys) -> None:
        index.put(keys, described(keys), keys % 9)

    def answers(self, index: LocalIndex, upto: int, k: int) -> tuple[Keys, NDArray[np.float32]]:
        photos = [photo(key) for key in np.linspace(0, upto * PER_CHANGE - 1, 4, dtype=int).tolist()]
        found = [index.search(query, k) for query in photos]
        return np.concatenate([one.keys for one in found]), np.concatenate([one.scores for one in found])


KINDS = {kind.name: kind for kind in (VectorKind(), LocalKind())}


def rows_of(keys: Keys) -> Vectors:
    """(n, DIM) unit rows that depend on the keys alone."""
    table = np.random.default_rng(5).standard_normal((CHANGES * PER_CHANGE, DIM)).astype(np.float32)
    rows = table[keys]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def keys_put(change: int) -> Keys:
    """Keys that a change puts."""
    return np.arange(change * PER_CHANGE, (change + 1) * PER_CHANGE)


def keys_removed(change: int) -> Keys:
    """Keys that a change removes: a third of those put ten changes before."""
    return keys_put(change - 10)[::3] if change >= 10 else np.empty(0, np.int64)


def main(argument: str) -> None:
    """Apply everything and seal after every fifth change; say so, so that others can wait for it."""
    name, _, folder = argument.partition(" ")
    kind = KINDS[name]
    index = kind.opened(Path(folder))
    sys.stdout.write("open\n")
    sys.stdout.flush()
    for change in kind.replay(index, CHANGES):
        if change % 5 == 0:
            index.checkpoint()
    sys.stdout.write("done\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
