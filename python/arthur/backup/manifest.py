"""The manifest: what a backup holds. It is written last, so a backup without one is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import orjson
from blake3 import blake3
from pydantic import Field, TypeAdapter, ValidationError

from arthur.errors import Conflict, StoreError

__all__ = ["IndexFile", "Manifest", "Piece", "packed", "piece_of", "unpacked"]

FORMAT = 1
_MOST_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """An object of a backup: the BLAKE3 of its bytes, by which it is named, and how many there are."""

    blake3: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]

    @property
    def name(self) -> str:
        """Where it lies in the backup."""
        return f"objects/{self.blake3[:2]}/{self.blake3}"


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A file of an index: which index, its path below that one's folder, and its pieces in order."""

    path: Annotated[str, Field(pattern=r"^(index|local)(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$")]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        backup_id: twelve hexadecimal digits, drawn at random.
        created_at: ISO 8601, UTC.
        arthur: version that wrote it.
        schema: revision of the catalogue's schema.
        identity: of the catalogue, by which indices know it.
        sequence: of the catalogue, up to which the backup has everything.
        rows: of each table.
        catalog: the catalogue as a SQLite file, in order.
        lists: which blobs there are, in order.
        blobs: how many.
        blob_bytes: how long they are together.
        indices: files of indices, each index's manifest behind all that it names.
    """

    backup_id: Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
    created_at: str
    arthur: str
    schema: str
    identity: str
    sequence: int
    rows: dict[str, int]
    catalog: tuple[Piece, ...]
    lists: tuple[Piece, ...]
    blobs: int
    blob_bytes: int
    indices: tuple[IndexFile, ...]


_MANIFEST = TypeAdapter(Manifest)


def piece_of(data: bytes) -> Piece:
    """Return the piece that `data` is."""
    return Piece(blake3(data).hexdigest(), len(data))


def packed(manifest: Manifest) -> bytes:
    """Write a manifest, with the BLAKE3 of all that it says."""
    body = orjson.dumps(manifest)
    return b'{"format":%d,"blake3":"%b","manifest":%b}\n' % (FORMAT, blake3(body).hexdigest().encode(), body)


def unpacked(data: bytes) -> Manifest:
    """Read what `packed` wrote.

    Raises:
        Conflict: it is of another format.
        StoreError: it is damaged.
    """
    try:
        document = orjson.loads(data)
        written = document["format"]
        if type(written) is int and written != FORMAT:
            raise Conflict(f"the backup is of format {str(written)[:_MOST_DIGITS]}; this Arthur reads {FORMAT}")
        manifest = _MANIFEST.validate_json(orjson.dumps(document["manifest"]))
    except (ValueError, LookupError, TypeError, ValidationError) as error:
        raise StoreError("the backup is damaged: its manifest cannot be read") from error
    if packed(manifest) != data:
        raise StoreError("the backup is damaged: its manifest is not what was written")
    return manifest
