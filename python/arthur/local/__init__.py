"""Port of the local indices: which stored views share visual words with this photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from arthur.errors import ConfigError
from arthur.types import Filter, JsonValue, Keys, LocalQuery, Neighbors

__all__ = ["LocalIndex", "open_local"]


class LocalIndex(Protocol):
    """Packed local features by key, derived from the catalog and rebuilt from it at will.

    Every method may be called from any thread at any time; a search sees every `put` and `remove` that
    returned before it began. Features are of one verifier: its fingerprint is given when the index is opened.
    """

    @property
    def sequence(self) -> int:
        """The catalog sequence up to which changes were applied; 0 for an empty index."""
        ...

    def __len__(self) -> int:
        """Number of keys that can be found."""
        ...

    def put(self, keys: Keys, features: Sequence[bytes], artists: Keys) -> None:
        """Add `(n,)` keys with their n packed features, as the catalog stores them, and `(n,)` artist numbers.

        A key already present is left as it is, and a key that was removed stays removed. Features without words
        are taken; such a view is never found.

        Raises:
            BadRequest: shapes disagree, features are not packed ones, or a key is negative.
            StoreError: the index cannot take them; none were added.
        """
        ...

    def remove(self, keys: Keys) -> int:
        """Make `keys` unfindable for good and return how many were there. Unknown keys are ignored."""
        ...

    def advance(self, sequence: int) -> None:
        """Note that all changes up to `sequence` have been applied; it never goes back."""
        ...

    def search(self, query: LocalQuery, k: int, *, where: Filter | None = None) -> Neighbors:
        """Return the `k` views with the most votes, best first: keys and scores of shape (1, k).

        The score is the weight of the matches that agree on where the view lies in the photo, divided by the square
        root of the features of both: comparable between photos, 0 to about 1. Views that share nothing with the photo
        are left out. It depends on the views that can be found, not on `where`. `k` is 1 to 1000. Equal scores come
        in any order. Blocks, with the GIL released.

        Raises:
            BadRequest: the arrays of the query disagree, a place is not finite, or `k` is out of range.
            StoreError: the index did not answer.
        """
        ...

    def checkpoint(self) -> None:
        """Make what was applied durable where the index keeps files, so that a restart replays less."""
        ...

    def stats(self) -> Mapping[str, JsonValue]:
        """Sizes and states for operators: segments, tail, tombstones, postings, bytes."""
        ...

    def close(self) -> None:
        """Stop background work and release files. Closing twice is allowed."""
        ...


def open_local(url: str, *, fingerprint: str) -> LocalIndex:
    """Open the local index that `url` names, for features of the verifier `fingerprint`.

    `exact:` looks at every view and keeps nothing on disk; `inverted:/folder` keeps lists of words in a folder, with
    the options `?tail=10000` (views kept in memory before they are sealed) and `threshold=22` (bits in which the
    signatures of like features differ at most; `exact:` has the default).

    Raises:
        ConfigError: the URL is not of that form.
        StoreError: the folder cannot be used.
    """
    scheme, _, rest = url.partition(":")
    path, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if scheme == "exact" and not rest:
        from arthur.local.exact import ExactLocalIndex

        return ExactLocalIndex()
    if scheme == "inverted" and path:
        from arthur.local.inverted import InvertedIndex

        tail, threshold = _number(options, "tail", 10_000), _number(options, "threshold", 22)
        if not options and threshold <= 32:
            return InvertedIndex(Path(path), fingerprint=fingerprint, tail_rows=tail, threshold=threshold)
    raise ConfigError(f"local index URL {url!r} is not exact: or inverted:/folder?tail=10000&threshold=22")


def _number(options: dict[str, str], name: str, default: int) -> int:
    value = options.pop(name, str(default))
    if not value.isdecimal():
        raise ConfigError(f"local index option {name} must be a whole number, not {value!r}")
    return int(value)
