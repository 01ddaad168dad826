"""Rows of the SQL catalogue: what is written of a new view, and how a stored one is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Row, Select, select

from arthur.catalog.metadata import decode_metadata, encode_metadata
from arthur.catalog.schema import artists, entries, views
from arthur.catalog.vectors import encode_vector
from arthur.errors import BadRequest, EngineMismatch
from arthur.types import NewView, Put, StoredView, ViewId

__all__ = ["Prepared", "ViewRow", "prepare", "select_views", "stored_view"]

ViewRow: TypeAlias = Row[*tuple[Any, ...]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_TEXT = 8192
_MAX_FEATURES = 65_536
_MAX_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """A new view that was checked and encoded, so that writing it needs the database only."""

    new: NewView
    vector: bytes
    metadata: str

    def row(self, entry: int, put: Put) -> dict[str, object]:
        """Return the row of `views` below that entry, for what `put` returned."""
        stored = put.stored
        return {
            "key": stored.key,
            "entry": entry,
            "view_id": stored.view.view_id,
            "vector_id": stored.vector_id,
            "content_hash": stored.content_hash,
            "source": stored.source,
            "format": stored.format,
            "width": stored.width,
            "height": stored.height,
            "size_bytes": stored.size_bytes,
            "metadata": self.metadata,
            "created_us": (stored.created_at - _EPOCH) // _MICROSECOND,
            "updated_us": (stored.updated_at - _EPOCH) // _MICROSECOND,
        }

    def put(self, key: int, replaced_key: int | None, *, created_us: int, updated_us: int) -> Put:
        """Return the outcome of having put it under `key`."""
        new = self.new
        stored = StoredView(
            key=key,
            view=new.view,
            vector_id=new.view.vector_id,
            content_hash=new.content_hash,
            source=new.source,
            format=new.format,
            width=new.width,
            height=new.height,
            size_bytes=new.size_bytes,
            metadata=decode_metadata(self.metadata),
            created_at=_EPOCH + created_us * _MICROSECOND,
            updated_at=_EPOCH + updated_us * _MICROSECOND,
        )
        return Put(stored, replaced_key)


def prepare(new_views: Sequence[NewView]) -> list[Prepared]:
    """Check and encode new views of one engine.

    Raises:
        BadRequest: a field cannot be kept.
        EngineMismatch: the vectors are of more than one engine or length.
    """
    if len({(new.fingerprint, new.vector.shape) for new in new_views}) > 1:
        raise EngineMismatch("vectors of more than one engine or length cannot be put together")
    prepared = []
    for new in new_views:
        _check_fields(new)
        vector, metadata = encode_vector(new.vector), encode_metadata(new.metadata)
        prepared.append(Prepared(new, vector, metadata))
    return prepared


def select_views() -> Select[*tuple[Any, ...]]:
    """Return the query whose rows `stored_view` reads; the caller adds what narrows it."""
    return (
        select(views, entries.c.entry_id, artists.c.artist_id)
        .join(entries, views.c.entry == entries.c.number)
        .join(artists, entries.c.artist == artists.c.number)
    )


def stored_view(row: ViewRow) -> StoredView:
    """Read a row of `select_views`."""
    return StoredView(
        key=row.key,
        view=ViewId(row.artist_id, row.entry_id, row.view_id),
        vector_id=row.vector_id,
        content_hash=row.content_hash,
        source=row.source,
        format=row.format,
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
        metadata=decode_metadata(row.metadata),
        created_at=_EPOCH + row.created_us * _MICROSECOND,
        updated_at=_EPOCH + row.updated_us * _MICROSECOND,
    )


def _check_fields(new: NewView) -> None:
    if new.features is not None and len(new.features.data) > _MAX_FEATURES:
        raise BadRequest(f"the local features of a view take more than {_MAX_FEATURES} bytes")
    for name in ("fingerprint", "content_hash", "source", "format"):
        text = getattr(new, name)
        if len(text) > _MAX_TEXT:
            raise BadRequest(f"{name} is longer than {_MAX_TEXT} characters")
        if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
            raise BadRequest(f"{name} holds characters that cannot be stored")
    for name in ("width", "height", "size_bytes"):
        if not 0 <= getattr(new, name) <= _MAX_INT64:
            raise BadRequest(f"{name} is out of range")
