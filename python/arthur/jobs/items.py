"""The pictures that an import is made of, as values and as rows of the queue."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeAlias

from arthur.types import JobItem, Metadata, ViewId

__all__ = ["MAIN_VIEW", "Found", "Item", "Place", "Refused"]

MAIN_VIEW = "main"
"""The view of a picture that is named by artist and entry alone."""

Place: TypeAlias = Literal["file", "url", "object"]
_PLACES: dict[str, Place] = {"file": "file", "url": "url", "object": "object"}


@dataclass(frozen=True, slots=True)
class Item:
    """A picture to be imported.

    Attributes:
        place: where the source names it: "row 7", or a path within the folder.
        source: a path relative to the source, a URL, or that of an object.
        where: which of them it is.
        tries: how often it failed in a way that may pass.
    """

    place: str
    view: ViewId
    source: str
    where: Place
    metadata: Metadata = field(default_factory=dict)
    tries: int = 0

    def packed(self) -> JobItem:
        """Return it as a row of the queue."""
        return {
            "place": self.place,
            "view": [self.view.artist_id, self.view.entry_id, self.view.view_id],
            "source": self.source,
            "where": self.where,
            "metadata": dict(self.metadata),
            "tries": self.tries,
        }

    @classmethod
    def unpacked(cls, row: JobItem) -> Self:
        """Read what `packed` wrote."""
        view, metadata, tries = row["view"], row["metadata"], row["tries"]
        if not isinstance(view, list) or not isinstance(metadata, dict) or not isinstance(tries, int):
            raise TypeError("a row of the queue is not of its form")
        artist_id, entry_id, view_id = map(str, view)
        where = _PLACES[str(row["where"])]
        return cls(str(row["place"]), ViewId(artist_id, entry_id, view_id), str(row["source"]), where, metadata, tries)

    def anew(self, tries: int = 0) -> Self:
        """Return it with another number of tries."""
        return replace(self, tries=tries)


@dataclass(frozen=True, slots=True)
class Refused:
    """A place of the source that names no picture, and why."""

    place: str
    reason: str


Found: TypeAlias = Item | Refused
