"""A connection to Valkey (or Redis) that costs little when nobody answers: what every use of it has in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar

import structlog
import valkey
from valkey.backoff import NoBackoff
from valkey.cluster import ValkeyCluster
from valkey.retry import Retry

from arthur.breaker import Breaker
from arthur.errors import ConfigError

__all__ = ["Client", "Fault", "Link"]

log = structlog.get_logger(__name__)

Fault: TypeAlias = Literal["faults", "skipped"]
"""An answer that failed or came too late; a question that was not asked, as nobody answers."""
Answer = TypeVar("Answer")
Client: TypeAlias = Any
"""The library's own types take its blocking clients for asynchronous ones."""

_ANSWER_S = 0.02
_CONNECT_S = 0.1


class Link:
    """Asks one Valkey, which nothing is connected to before the first question. Callable from any thread.

    An answer that takes longer than 20 ms is a fault; after three in a row nobody is asked for a while.
    """

    def __init__(
        self,
        url: str,
        *,
        of: str,
        cluster: bool = False,
        told: Callable[[Fault], None],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use the server at a URL as the client library reads it.

        Args:
            url: where it is.
            of: what the log calls this use of it.
            cluster: whether it is any node of a cluster.
            told: is called for each fault.
            clock_s: tells the seconds.

        Raises:
            ConfigError: the URL cannot be read.
        """
        self._of = of
        self._told = told
        self._breaker = Breaker(clock_s=clock_s)
        self._connect = _connector(url, cluster=cluster, of=of)
        self._client: Client | None = None if cluster else self._connect()

    def ask(self, question: Callable[[Client], Answer]) -> Answer | None:
        """Ask Valkey; None when it does not answer in time, or did not a moment ago."""
        if not self._breaker.allows():
            self._told("skipped")
            return None
        try:
            if self._client is None:
                # A cluster is asked for its nodes at once.
                self._client = self._connect()
            answer = question(self._client)
        except (valkey.ValkeyError, OSError) as error:
            self._told("faults")
            if self._breaker.failed():
                log.warning("valkey_unreachable", of=self._of, reason=f"{type(error).__name__}: {error}")
            return None
        if self._breaker.succeeded():
            log.info("valkey_reachable", of=self._of)
        return answer

    def close(self) -> None:
        """Release connections. Closing twice is allowed."""
        if self._client is not None:
            self._client.close()


def _connector(url: str, *, cluster: bool, of: str) -> Callable[[], Client]:
    limits: dict[str, Any] = {"socket_timeout": _ANSWER_S, "socket_connect_timeout": _CONNECT_S}
    try:
        valkey.ConnectionPool.from_url(url)  # type: ignore[no-untyped-call]  # the library's own gap
    except (valkey.ValkeyError, ValueError) as error:
        raise ConfigError(f"the {of} URL cannot be read: valkey://:PASSWORD@HOST:PORT/DB") from error
    if cluster:
        return lambda: ValkeyCluster.from_url(url, cluster_error_retry_attempts=1, **limits)  # type: ignore[no-untyped-call]  # the library's own gap
    return lambda: valkey.Valkey.from_url(url, retry=Retry(NoBackoff(), 0), **limits)
