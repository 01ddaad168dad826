"""Claims of traces: each request is a span, each stage of it a span below, whatever thread it ran in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from arthur.config import Settings
from arthur.errors import ConfigError
from arthur.tracing import NoTracing, open_tracing
from arthur.tracing.otel import OpenTelemetry
from arthur.web.app import App
from arthur.web.routes import route_table
from arthur.web.worker import service_of
from tests.conftest import free_port
from tests.web.collecting import Collector, collector
from tests.web.conftest import picture
from tests.web.doors import asked, gate_of, ledger
from tests.web.web_fakes import open_fake

__all__ = ["collector"]  # the fixture

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MATCH = "/api/v1/match"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def app(tmp_path: Path, spans: InMemorySpanExporter) -> Iterator[App]:
    """Real handlers over a fake engine."""
    tracing = OpenTelemetry(SimpleSpanProcessor(spans))
    arthur = open_fake(Settings(data=tmp_path / "data"), tracing)
    with ThreadPoolExecutor(4) as pool:
        yield App(service_of(arthur, pool), route_table(), gate=gate_of(), ledger=ledger())  # type: ignore[arg-type]
    tracing.close()
    arthur.close()


def post(app: App, body: bytes, path: str = MATCH, **headers: str) -> int:
    told = {"content-type": "image/png", "content-length": str(len(body)), **headers}
    return app.run(app.plan(asked(path, "POST", body=body, headers=told))).status


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def test_a_match_is_a_span_with_its_stages_below(app: App, spans: InMemorySpanExporter) -> None:
    assert post(app, picture(1)) == 200
    found = named(spans)
    request = found.pop(f"POST {MATCH}")
    assert {"cache", "decode", "encode", "follow", "decision"} <= set(found)
    assert {span.parent.span_id for span in found.values()} == {request.context.span_id}
    facts = {"http.response.status_code": 200, "http.route": MATCH, "arthur.request_id": "id"}
    assert facts.items() <= dict(request.attributes).items()
    assert request.attributes["arthur.decision"] == "no_match"


def test_pictures_of_a_batch_are_traced_in_its_request(app: App, spans: InMemorySpanExporter) -> None:
    sent = httpx.Request("POST", "http://a/", files=[("image", (f"{n}.png", picture(n))) for n in range(3)])
    assert post(app, sent.read(), "/api/v1/batch/match", **sent.headers) == 200
    decoded = [span for span in spans.get_finished_spans() if span.name == "decode"]
    assert [span.parent.span_id for span in decoded] == [named(spans)["POST /api/v1/batch/match"].context.span_id] * 3


def test_a_trace_of_the_caller_goes_on(app: App, spans: InMemorySpanExporter) -> None:
    post(app, picture(1), traceparent=PARENT)
    request = named(spans)[f"POST {MATCH}"]
    assert format(request.context.trace_id, "032x") == PARENT.split("-")[1]
    assert format(request.parent.span_id, "016x") == PARENT.split("-")[2]


def test_a_caller_that_is_not_traced_is_not(app: App, spans: InMemorySpanExporter) -> None:
    post(app, picture(1), traceparent=PARENT.removesuffix("01") + "00")
    assert spans.get_finished_spans() == ()


@pytest.mark.parametrize("broken", ["", "00-zz-zz-01", "a" * 5000])
def test_a_broken_trace_of_the_caller_is_begun_anew(app: App, spans: InMemorySpanExporter, broken: str) -> None:
    assert post(app, picture(1), traceparent=broken) == 200
    assert named(spans)[f"POST {MATCH}"].parent is None


def test_faults_are_marked_and_refusals_are_not(app: App, spans: InMemorySpanExporter) -> None:
    assert post(app, b"no picture") == 422
    app.service.catalog.close()
    assert post(app, picture(1)) == 503
    requests = [span for span in spans.get_finished_spans() if span.parent is None]
    assert [span.status.is_ok for span in requests] == [True, False]


def test_probes_are_not_traced(app: App, spans: InMemorySpanExporter) -> None:
    for path in ("/healthz", "/metrics"):
        assert app.run(app.plan(asked(path))).status == 200
    assert spans.get_finished_spans() == ()


def test_the_share_of_requests_is_kept() -> None:
    spans = InMemorySpanExporter()
    tracing = OpenTelemetry(SimpleSpanProcessor(spans), share=0.25)
    for _ in range(400):
        with tracing.request("a", {}, {}) as answered, tracing.span("b"):
            answered(200)
    assert 100 < len(spans.get_finished_spans()) < 300
    tracing.close()


def test_what_is_done_outside_a_request_makes_no_span() -> None:
    spans = InMemorySpanExporter()
    tracing = OpenTelemetry(SimpleSpanProcessor(spans))
    with tracing.span("follow"):
        tracing.note({"a": "b"})
    assert spans.get_finished_spans() == ()
    tracing.close()


def test_spans_reach_a_collector(collector: Collector) -> None:
    tracing = open_tracing(collector.url)
    with tracing.request("GET /a", {}, {"http.route": "/a"}) as answered:
        answered(200)
    tracing.close()
    (path, body), *_ = collector.taken
    sent = ExportTraceServiceRequest.FromString(body).resource_spans[0]
    assert (path, sent.scope_spans[0].spans[0].name) == ("/v1/traces", "GET /a")
    assert {"arthur"} == {one.value.string_value for one in sent.resource.attributes if one.key == "service.name"}


def test_a_collector_that_is_away_costs_no_request() -> None:
    tracing = open_tracing(f"http://127.0.0.1:{free_port()}")
    with tracing.request("GET /a", {}, {}) as answered:
        answered(200)
    tracing.close()


def test_nothing_is_traced_unless_it_is_asked_for() -> None:
    assert isinstance(open_tracing(""), NoTracing)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="otlp"):
        open_tracing("collector:4318")
