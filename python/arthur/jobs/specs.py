"""What a job imports from, as it stands in the catalogue, and what one process can reach of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from arthur.errors import BadRequest, Forbidden, StoreError
from arthur.jobs.items import Found
from arthur.jobs.objects import check_prefix, open_prefix
from arthur.jobs.sources import open_source
from arthur.types import JsonValue

__all__ = ["Reach", "SourceSpec"]

ROOT = "import_root"
"""What a worker offers that can read below its import root."""
_HOST = "host:"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source: a folder, a manifest or a list of URLs at a path, or a prefix of an object store.

    Attributes:
        path: absolute, or relative to the import root where it is confined; "" for a prefix.
        prefix: URL of a prefix, such as `s3://bucket/works/`; "" for a path.
        artist_id: all of it is this artist's.
        confined: nothing outside the import root is read; so are sources that were named over the network.
    """

    path: str = ""
    prefix: str = ""
    artist_id: str | None = None
    confined: bool = False

    def packed(self) -> dict[str, JsonValue]:
        """Return it as the spec of a job."""
        artist: dict[str, JsonValue] = {} if self.artist_id is None else {"artist_id": self.artist_id}
        if self.prefix:
            return {"prefix": self.prefix, **artist}
        return {"path": self.path, "confined": self.confined, **artist}

    @classmethod
    def unpacked(cls, spec: Mapping[str, JsonValue]) -> Self:
        """Read what `packed` wrote."""
        artist_id = spec.get("artist_id")
        path, prefix = str(spec.get("path", "")), str(spec.get("prefix", ""))
        return cls(path, prefix, None if artist_id is None else str(artist_id), bool(spec.get("confined")))


@dataclass(frozen=True, slots=True)
class Reach:
    """What this process can import from.

    Attributes:
        host: the machine's name; a path that is not confined is read by workers of this machine alone.
        root: folder below which callers over the network may import from; None for none.
        stores: prefixes of object stores from which they may import.
    """

    host: str
    root: Path | None = None
    stores: tuple[str, ...] = ()

    @property
    def offers(self) -> tuple[str, ...]:
        """What jobs may need of a worker, and this one has."""
        return ("", f"{_HOST}{self.host}", *(() if self.root is None else (ROOT,)))

    def needs(self, spec: SourceSpec) -> str:
        """Return what a worker has to offer to read a source."""
        if spec.prefix:
            return ""
        return ROOT if spec.confined else f"{_HOST}{self.host}"

    def check(self, spec: SourceSpec) -> None:
        """Return if a caller over the network may import a source.

        Raises:
            Forbidden: it lies outside of what callers may import from.
            BadRequest: it is malformed, or nothing that could be imported.
        """
        if spec.prefix:
            check_prefix(spec.prefix)
            if not any(below(spec.prefix, store) for store in self.stores):
                raise Forbidden("the server imports from no such store; ARTHUR_IMPORT_STORES names those it does")
        elif self.root is None:
            raise Forbidden("the server imports from no folder; ARTHUR_IMPORT_ROOT names one")
        self.open(spec)

    def open(self, spec: SourceSpec, *, after: str = "") -> Iterator[Found]:
        """Open a source and read it on behind a place.

        Raises:
            BadRequest, Forbidden: see check.
            StoreError: the object store does not answer.
        """
        if spec.prefix:
            return open_prefix(spec.prefix, artist_id=spec.artist_id, after=after)
        path = self.path(spec)
        try:
            return open_source(path, artist_id=spec.artist_id, after=after)
        except BadRequest as error:
            # where the root lies is nothing for callers
            raise BadRequest(str(error).replace(str(path), spec.path)) from error

    def path(self, spec: SourceSpec) -> Path:
        """Return where a source lies on this machine.

        Raises:
            Forbidden: it lies outside of the import root.
        """
        return self.within(Path(self.root or "/", spec.path)) if spec.confined else Path(spec.path)

    def present(self, spec: SourceSpec) -> Path:
        """Return where a source lies that was there when the job was begun.

        Raises:
            Forbidden: it lies outside of the import root.
            StoreError: it is not there now, or not for this process.
        """
        path = self.path(spec)
        if not path.exists():
            raise StoreError("the source is not there: was its disk unmounted?")
        return path

    def within(self, path: Path) -> Path:
        """Return a path with its links resolved.

        Raises:
            Forbidden: it lies outside of the import root.
        """
        if self.root is None:
            raise Forbidden("this server imports from no folder")
        root = self.root.resolve()
        try:
            resolved = path.resolve()
        except (OSError, ValueError) as error:
            raise BadRequest("the path cannot be read") from error
        if not resolved.is_relative_to(root):
            raise Forbidden("the path lies outside of the server's import root")
        return resolved


def below(prefix: str, store: str) -> bool:
    """Whether a prefix is a store's or lies below it."""
    store = store.rstrip("/")
    return prefix.rstrip("/") == store or prefix.startswith(f"{store}/")
