"""Pictures below a prefix of an object store (S3, Google Cloud, Azure), by obstore."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from arthur.blobs.object_store import open_object_store
from arthur.errors import BadRequest, ConfigError, ImageTooLarge, InvalidImage, StoreError
from arthur.jobs.items import Found
from arthur.jobs.sources import SUFFIXES, named

__all__ = ["Objects", "check_prefix", "open_prefix"]

SCHEMES = ("s3", "gs", "az", "abfs", "abfss")
_PAGE = 1000


class Objects(Protocol):
    """Reads objects below a prefix."""

    def __call__(self, url: str) -> bytes:
        """Return the object at a URL. Raises StoreError, InvalidImage where there is none, ImageTooLarge."""
        ...


def check_prefix(prefix: str) -> None:
    """Return if a URL names a prefix of an object store.

    Raises:
        BadRequest: it does not.
    """
    scheme, mark, rest = prefix.partition("://")
    if scheme not in SCHEMES or not mark or not rest.strip("/") or {"?", "#", "@"} & set(rest) or ".." in rest:
        raise BadRequest(f"a prefix is a URL such as s3://bucket/works/; the schemes are {', '.join(SCHEMES)}")


def open_prefix(prefix: str, *, artist_id: str | None = None, after: str = "") -> Iterator[Found]:
    """List the pictures below a prefix behind a key, in order; they are laid out as in a folder. See open_source.

    Raises:
        BadRequest: the URL names no prefix, or there are no pictures below it.
        StoreError: the store does not answer.
    """
    keys = _keys(_store(prefix), after)
    first = next(keys, None)
    if first is None and not after:
        raise BadRequest(f"there are no pictures below {prefix}")
    return named(_from(first, keys), () if artist_id is None else (artist_id,), prefix=_base(prefix))


def open_objects(prefix: str, max_bytes: int) -> Objects:
    """Return what reads the objects below a prefix, up to a length.

    Raises:
        BadRequest: the URL names no prefix.
    """
    store = _store(prefix)

    def read(url: str) -> bytes:
        key = url.removeprefix(_base(prefix))
        try:
            found = obstore.get(store, key)
            if found.meta["size"] > max_bytes:
                raise ImageTooLarge(f"{key} is larger than {max_bytes} bytes")
            return bytes(found.bytes())
        except FileNotFoundError as error:
            raise InvalidImage(f"there is no object {key}") from error
        except (BaseError, OSError, ValueError) as error:
            raise StoreError("the object store does not answer") from error

    return read


def _base(prefix: str) -> str:
    return f"{prefix.rstrip('/')}/"


def _store(prefix: str) -> ObjectStore:
    check_prefix(prefix)
    try:
        return open_object_store(prefix.rstrip("/"))
    except ConfigError as error:
        raise BadRequest(f"{prefix} cannot be opened: are the store's settings in the environment?") from error


def _keys(store: ObjectStore, after: str) -> Iterator[PurePosixPath]:
    try:
        for page in obstore.list(store, offset=after or None, chunk_size=_PAGE):
            for one in page:
                key = PurePosixPath(one["path"])
                hidden = any(part.startswith(".") for part in key.parts)
                if not hidden and key.suffix.lower() in SUFFIXES:
                    yield key
    except (BaseError, OSError, ValueError) as error:
        raise StoreError("the object store does not answer") from error


def _from(first: PurePosixPath | None, rest: Iterator[PurePosixPath]) -> Iterator[PurePosixPath]:
    if first is not None:
        yield first
        yield from rest
