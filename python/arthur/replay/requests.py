"""One recorded request, and what of it may be sent without harm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_MATCHES = re.compile(r"/match(-legacy)?(/[^/]+)?/?")
_KEPT_HEADERS = ("accept", "content-type", "user-agent")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as a v1 client sent it.

    Attributes:
        place: where it is in the recording, from 1, for people: an entry or a line.
        target: path and query, percent-encoded as sent.
        headers: those that bear on the answer, by lower-case name.
    """

    place: int
    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def is_match(self) -> bool:
        """Whether it asks for a recognition."""
        return self.method == "POST" and _MATCHES.fullmatch(self.path) is not None

    @property
    def is_write(self) -> bool:
        """Whether it may change something: everything but GET, HEAD and recognition."""
        return self.method not in ("GET", "HEAD") and not self.is_match


@dataclass(frozen=True, slots=True)
class Unusable:
    """A place of the recording that cannot be sent, and why."""

    place: int
    why: str


def kept_headers(given: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are sent again: none that belongs to the old connection, and no credential."""
    lower = {name.lower(): value for name, value in given.items()}
    return {name: lower[name] for name in _KEPT_HEADERS if name in lower}


def target_of(url: str) -> str:
    """Return path and query of a URL or of a target that is one already."""
    parts = urlsplit(url)
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path
