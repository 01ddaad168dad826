"""Blobs in a folder, in memory, or in an object store (S3, Google Cloud, Azure), by obstore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, from_url

from arthur.errors import BadRequest, ConfigError, StoreError

if TYPE_CHECKING:
    # The library has these for type checkers only.
    from obstore.store import ClientConfig, RetryConfig

__all__ = ["ObjectBlobs", "open_object_store"]

# A part never begins with a dot, so it is neither "." nor ".." nor a hidden file.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_MAX_NAME = 512
# An endpoint is spelt http:// by the operator alone (AWS_ENDPOINT_URL), who then means it; the library's own variable
# for that is not heard once timeouts are given.
_CLIENT: ClientConfig = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=30),
}
# The library's own patience is three minutes: a request would wait that long for its thumbnail.
_RETRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}


class ObjectBlobs:
    """See Blobs. In a folder a blob is written beside its place and renamed."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put(self, name: str, data: bytes) -> None:
        """See Blobs.put."""
        with _store_errors():
            obstore.put(self._store, _checked(name), data)

    def read(self, name: str) -> bytes | None:
        """See Blobs.read."""
        with _store_errors():
            try:
                return bytes(obstore.get(self._store, _checked(name)).bytes())
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """See Blobs.remove."""
        with _store_errors():
            try:
                obstore.delete(self._store, _checked(name))
            except FileNotFoundError:
                return

    def ping(self) -> None:
        """See Blobs.ping."""
        with _store_errors():
            obstore.list_with_delimiter(self._store)


def open_object_store(url: str) -> ObjectStore:
    """Open the store at `url`. What follows `file://` is a path as it stands, not percent-encoded.

    Raises:
        ConfigError: the URL is not of a known form, or the folder cannot be made.
    """
    try:
        if url.startswith("file:///"):
            return LocalStore(url.removeprefix("file://"), mkdir=True)
        return from_url(url, client_options=_CLIENT, retry_config=_RETRIES)
    except (BaseError, ValueError, OSError) as error:
        raise ConfigError("the blob store URL cannot be opened") from error


def _checked(name: str) -> str:
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise BadRequest("a blob's name must be made of letters, digits, '_', '-' and '.' between slashes")
    return name


@contextmanager
def _store_errors() -> Iterator[None]:
    """Turn what the library raises inside the block into StoreError."""
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise StoreError("the blob store does not permit this to the server") from error
    except (BaseError, OSError, ValueError) as error:
        raise StoreError("the blob store did not answer or could not write") from error
