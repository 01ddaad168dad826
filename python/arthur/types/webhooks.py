"""Webhooks: who is told of what happens to the catalogue, and what there is to tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from arthur.types.catalogue import StoredView
from arthur.types.names import JsonValue

EventKind: TypeAlias = Literal["view.put", "view.removed", "import.finished", "calibration.stale"]
EVENT_KINDS: tuple[EventKind, ...] = ("view.put", "view.removed", "import.finished", "calibration.stale")


@dataclass(frozen=True, slots=True)
class Webhook:
    """Somebody who is told. Times are microseconds since 1970 UTC.

    Attributes:
        secret: 32 bytes that sign what is sent. Unlike an API key's it is needed itself, so it is kept itself.
        kinds: what it is told of; empty for everything.
        position: the catalog's sequence up to which it was told of views.
        told: number of the last notice that it was told of.
        failures: tries in a row that failed.
        retry_us: not tried before.
        error: why the last try failed, "" when it did not.
    """

    hook_id: str
    url: str
    secret: bytes = field(repr=False)
    kinds: tuple[EventKind, ...]
    created_us: int
    position: int
    told: int
    failures: int = 0
    retry_us: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """A change of the catalogue: a view that was put and is live, or a key that ended by a removal.

    Attributes:
        key: of the view.
        stored: the view that was put; None for a removal, whose name the catalogue has forgotten.
        replaced_key: key that ended by this put.
    """

    sequence: int
    key: int
    stored: StoredView | None
    replaced_key: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something else worth telling, in the order of its number."""

    number: int
    kind: EventKind
    at_us: int
    facts: Mapping[str, JsonValue]
