"""Port of what webhooks are told of. The catalogue's own history is the queue, so that no write has to fill another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from arthur.types import EventKind, Happening, JsonValue, Notice, Webhook

__all__ = ["Outbox"]


class Outbox(Protocol):
    """Webhooks, their places in history, and notices. Every method may be called from any thread, and blocks.

    Any method raises StoreError as those of Catalog do.
    """

    def put_webhook(self, url: str, secret: bytes, kinds: tuple[EventKind, ...], *, now_us: int) -> Webhook:
        """Put a webhook that is told of everything from now on."""
        ...

    def webhooks(self) -> tuple[Webhook, ...]:
        """Return all webhooks, oldest first."""
        ...

    def remove_webhook(self, hook_id: str) -> bool:
        """Remove a webhook; return whether there was one."""
        ...

    def claim(self, *, now_us: int, lease_us: int) -> Webhook | None:
        """Return a webhook that has something to be told and may be tried now; nobody else gets it during the lease.

        Costs a short read when there is none.
        """
        ...

    def delivered(self, hook: Webhook, *, position: int, told: int) -> None:
        """Remember how far a webhook was told, and let go of it."""
        ...

    def failed(self, hook: Webhook, error: str, *, retry_us: int) -> None:
        """Remember that a try failed and when the next may be, and let go of it."""
        ...

    def happenings(self, since: int, limit: int) -> tuple[tuple[Happening, ...], int]:
        """Return up to `limit` changes after `since` in order, and the sequence they reach.

        A view that was put and has been replaced or removed since is told of by its ending alone. A sequence below
        `since` tells that the catalogue was restored from a backup.
        """
        ...

    def notices(self, since: int, limit: int) -> tuple[Notice, ...]:
        """Return up to `limit` notices after number `since`."""
        ...

    def tell(self, kind: EventKind, facts: Mapping[str, JsonValue], *, now_us: int, once: str = "") -> None:
        """Put a notice, if there is a webhook; one that was told `once` under a name is not told again.

        Notices that every webhook was told of are removed.
        """
        ...
