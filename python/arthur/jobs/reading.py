"""Reads the pictures of a source: from files, from URLs, from an object store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arthur.errors import BadRequest, ImageTooLarge, InvalidImage
from arthur.jobs.courtesy import Courtesy
from arthur.jobs.items import Item
from arthur.jobs.objects import Objects, open_objects
from arthur.jobs.specs import Reach, SourceSpec

__all__ = ["Reader", "Web"]


@dataclass(frozen=True, slots=True)
class Web:
    """Fetches pictures, one host after the other.

    Attributes:
        fetch: returns the bytes at a URL, or raises an ArthurError.
    """

    fetch: Callable[[str], bytes]
    courtesy: Courtesy

    def __call__(self, url: str) -> bytes:
        """Return the bytes at a URL when it is its host's turn."""
        with self.courtesy.turn(url):
            return self.fetch(url)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the pictures of one source. Callable from any thread.

    Attributes:
        web: reads URLs.
        max_bytes: a larger file is not read.
        base: folder to which paths are relative.
        within: returns a path that may be read, or raises an ArthurError.
        objects: reads keys of an object store.
    """

    web: Callable[[str], bytes]
    max_bytes: int
    base: Path = Path()
    within: Callable[[Path], Path] = Path
    objects: Objects | None = None

    @classmethod
    def of(cls, spec: SourceSpec, reach: Reach, web: Callable[[str], bytes], max_bytes: int) -> Reader:
        """Return the reader of a source.

        Raises:
            Forbidden, BadRequest: the source cannot be reached from here.
            StoreError: it is not there now.
        """
        if spec.prefix:
            return cls(web, max_bytes, objects=open_objects(spec.prefix, max_bytes))
        if not spec.path:
            return cls(web, max_bytes)
        path = reach.present(spec)
        base = path if path.is_dir() else path.parent
        return cls(web, max_bytes, base, reach.within if spec.confined else Path)

    def __call__(self, item: Item) -> bytes:
        """Return the bytes of the item's picture.

        Raises:
            HostUnavailable: its host did not answer; later it may.
            StoreError: the object store, or the catalog, does not answer.
            ArthurError: it cannot be fetched, is no readable file, or is too large.
        """
        if item.where == "url":
            return self.web(item.source)
        if item.where == "object":
            if self.objects is None:
                raise BadRequest("the source is no object store")
            return self.objects(item.source)
        return self._file(item.source)

    def _file(self, source: str) -> bytes:
        try:
            file = self.within(self.base / source)
            if not file.is_file():
                raise InvalidImage(f"there is no file {source}")
            if file.stat().st_size > self.max_bytes:
                raise ImageTooLarge(f"{source} is larger than {self.max_bytes} bytes")
            return file.read_bytes()
        except (OSError, ValueError) as error:
            raise InvalidImage(f"{source} cannot be read: {error}") from error
