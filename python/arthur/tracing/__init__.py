"""Port of traces: what a request spends its time on, told to whoever collects spans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from arthur.errors import ConfigError

__all__ = ["NoTracing", "Tracing", "open_tracing"]


class Tracing(Protocol):
    """Makes spans. Every method may be called from any thread."""

    def request(
        self, name: str, headers: Mapping[str, str], facts: Mapping[str, str]
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Trace the body as one request, below the span that its `traceparent` header names.

        Args:
            name: method and route.
            headers: by lower-case name.
            facts: attributes of the span.

        Returns:
            A function that is to be told the status of the answer.
        """
        ...

    def span(self, name: str) -> AbstractContextManager[object]:
        """Trace the body as one part of the request that this thread is at; nothing outside a request."""
        ...

    def note(self, facts: Mapping[str, str]) -> None:
        """Add facts to the span that this thread is in."""
        ...

    def close(self) -> None:
        """Send what was not sent yet. Closing twice is allowed."""
        ...


class NoTracing:
    """Traces nothing. See Tracing."""

    def request(
        self, name: str, headers: Mapping[str, str], facts: Mapping[str, str]
    ) -> AbstractContextManager[Callable[[int], None]]:
        """See Tracing.request."""
        return nullcontext(lambda _: None)

    def span(self, name: str) -> AbstractContextManager[object]:
        """See Tracing.span."""
        return nullcontext()

    def note(self, facts: Mapping[str, str]) -> None:
        """See Tracing.note."""

    def close(self) -> None:
        """See Tracing.close."""


def open_tracing(url: str, *, share: float = 1.0) -> Tracing:
    """Trace to the collector at `url`, which takes OTLP over HTTP; "" traces nothing.

    Args:
        url: such as `http://collector:4318`.
        share: of the requests that nobody else traces, 0..1.

    Raises:
        ConfigError: the URL is none, or OpenTelemetry is not installed.
    """
    if not url:
        return NoTracing()
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"setting 'otlp': {url!r} is no http:// or https:// address of a collector")
    try:
        from arthur.tracing.otel import OpenTelemetry, exporter
    except ImportError as error:
        message = "tracing needs a package that is not installed: pip install 'arthur-imgreco[otel]'"
        raise ConfigError(message) from error
    return OpenTelemetry(exporter(url), share=share)
