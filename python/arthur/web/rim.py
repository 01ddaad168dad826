"""What a worker has around its routes: who may come in, what is written down, and who is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter

from arthur.access import KeyRing
from arthur.audit import AuditLog
from arthur.errors import StoreError
from arthur.fetch import Poster
from arthur.rates import Limiter, open_limiter
from arthur.web.gate import UNSAFE, Gate, Rules
from arthur.webhooks import Courier

if TYPE_CHECKING:
    from arthur.assemble import Arthur

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rim:
    """The opened parts. `follow` starts what runs in the background, `close` ends it."""

    gate: Gate
    ring: KeyRing
    audit: AuditLog
    courier: Courier
    limiter: Limiter

    def follow(self) -> None:
        """Follow the keys, and deliver to webhooks."""
        self.ring.follow()
        self.courier.follow()

    def close(self) -> None:
        """Stop following. Closing twice is allowed."""
        self.ring.close()
        self.courier.close()
        self.audit.close()
        self.limiter.close()


def open_rim(arthur: Arthur) -> Rim:
    """Open what stands around the routes, and warn of what an operator should know.

    Raises:
        ConfigError: a setting about access is malformed.
        StoreError: the catalog does not answer.
    """
    settings = arthur.settings
    ring = KeyRing(arthur.catalog)
    limiter = open_limiter(settings.limiter_url, told=_counted())
    gate = Gate(ring, limiter, Rules.of(settings))
    if gate.unsafe:
        log.warning("writes_refused", host=settings.host, error=UNSAFE)
    _tell_if_stale(arthur)
    poster = Poster(timeout_s=settings.fetch_timeout_s, allow=settings.fetch_allow)
    audit = AuditLog(settings.audit_folder, keep_days=settings.audit_keep_days)
    return Rim(gate, ring, audit, Courier(arthur.catalog.outbox, poster), limiter)


def _counted() -> Callable[[str], None]:
    """Return a counter of what happens to shared rates, for Prometheus."""
    events = Counter("arthur_limiter_events", "Syncs of rates with Valkey, and faults", ("event",), registry=None)
    return lambda event: events.labels(event).inc()


def _tell_if_stale(arthur: Arthur) -> None:
    """Tell webhooks, once for each engine and verifier, that the catalogue's calibration is not in force."""
    state = arthur.recognizer.status()
    if not state["calibration_stale"]:
        return
    facts = {name: state[name] for name in ("calibration_stale", "engine", "verifier")}
    once = f"calibration.stale:{state['engine']}:{state['verifier']}"
    try:
        arthur.catalog.outbox.tell("calibration.stale", facts, now_us=time.time_ns() // 1000, once=once)
    except StoreError as error:
        log.warning("webhooks_not_told", error=str(error))
