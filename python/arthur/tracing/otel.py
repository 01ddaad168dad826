"""Traces by OpenTelemetry. Nothing of it is global: spans of other users of the library never meet ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from arthur.release import installed_version

_TIMEOUT_S = 5.0


def exporter(url: str) -> SpanProcessor:
    """Send spans in the background to the collector at `url`; those that it does not take are lost."""
    return BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=_TIMEOUT_S))


class OpenTelemetry:
    """Makes spans of OpenTelemetry. See Tracing."""

    def __init__(self, processor: SpanProcessor, *, share: float = 1.0) -> None:
        """Own `processor`, which takes the spans; `share` is of the requests that nobody else traces, 0..1."""
        resource = Resource.create({"service.name": "arthur", "service.version": installed_version()})
        self._provider = TracerProvider(
            resource=resource, sampler=ParentBased(TraceIdRatioBased(share)), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("arthur")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(
        self, name: str, headers: Mapping[str, str], facts: Mapping[str, str]
    ) -> Iterator[Callable[[int], None]]:
        """See Tracing.request."""
        above = self._propagator.extract(headers)
        kind = trace.SpanKind.SERVER
        with self._tracer.start_as_current_span(name, context=above, kind=kind, attributes=dict(facts)) as span:

            def answered(status: int) -> None:
                span.set_attribute("http.response.status_code", status)
                if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    span.set_status(trace.StatusCode.ERROR)

            yield answered

    def span(self, name: str) -> AbstractContextManager[object]:
        """See Tracing.span."""
        if not trace.get_current_span().get_span_context().is_valid:
            return trace.use_span(trace.INVALID_SPAN)
        return self._tracer.start_as_current_span(name, record_exception=False)

    def note(self, facts: Mapping[str, str]) -> None:
        """See Tracing.note."""
        trace.get_current_span().set_attributes(facts)

    def close(self) -> None:
        """See Tracing.close."""
        self._provider.shutdown()
