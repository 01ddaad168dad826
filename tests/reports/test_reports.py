"""Claims of reports: a bug is told with its place, and nothing that a caller sent goes out with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from arthur.config import Settings
from arthur.errors import ArthurError, ConfigError, EngineError, InvalidImage
from arthur.reports import NoReports, open_reports
from arthur.reports.sentry import Sentry
from arthur.tracing import NoTracing
from arthur.web.app import App
from arthur.web.http import Request, Response
from arthur.web.metrics import Metrics
from arthur.web.routing import Route, Table
from tests.conftest import free_port
from tests.web.collecting import Collector, collector
from tests.web.doors import asked, gate_of, ledger

__all__ = ["collector"]  # the fixture

# words that stand in no source, whose lines do go out
WORDS = [hashlib.sha256(name.encode()).hexdigest() for name in ("picture", "person", "cookie")]
PICTURE, (PERSON, COOKIE) = WORDS[0].encode(), WORDS[1:]


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        options["kept"] = self
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    opened = Sentry("http://key@127.0.0.1/1", transport=Kept)
    yield opened
    opened.close()


def kept(sentry: Sentry) -> list[dict[str, Any]]:
    transport = sentry._client.transport
    assert isinstance(transport, Kept)
    return [envelope.get_event() for envelope in transport.envelopes]


def app(reports: Any, error: Exception) -> App:
    """An app whose one route meets that error while it looks at a picture."""

    def handler(service: Any, request: Request) -> Response:
        picture = request.body
        if picture:
            raise error
        return Response(200)

    service: Any = SimpleNamespace(settings=Settings(), metrics=Metrics(), tracing=NoTracing(), reports=reports)
    return App(service, Table([Route("POST", "/a/{x}", handler, scope="read")]), gate=gate_of(), ledger=ledger())


def ask(tested: App) -> int:
    headers = {"content-length": str(len(PICTURE)), "cookie": COOKIE}
    return tested.run(tested.plan(asked(f"/a/{PERSON}", "POST", body=PICTURE, headers=headers))).status


def test_a_bug_is_told_with_its_place_and_its_request(sentry: Sentry) -> None:
    assert ask(app(sentry, KeyError("x"))) == 500
    (event,) = kept(sentry)
    error = event["exception"]["values"][0]
    assert (error["type"], event["tags"]) == ("KeyError", {"request_id": "id", "route": "/a/{x}"})
    assert error["stacktrace"]["frames"][-1]["function"] == "handler"


def test_nothing_that_was_sent_goes_out(sentry: Sentry) -> None:
    error = ValueError(f"cannot read {PICTURE!r} of {PERSON}")
    error.__cause__ = TypeError(COOKIE)
    ask(app(sentry, error))
    (event,) = kept(sentry)
    told = orjson.dumps(event, default=str).decode()
    assert [word for word in WORDS if word in told] == []
    assert not {"request", "user", "breadcrumbs", "modules", "extra"} & {name for name, value in event.items() if value}
    frames = [frame for one in event["exception"]["values"] for frame in one.get("stacktrace", {}).get("frames", [])]
    assert not any("vars" in frame for frame in frames)


@pytest.mark.parametrize("error", [InvalidImage("why"), EngineError("why")])
def test_errors_that_are_known_are_no_bugs(sentry: Sentry, error: ArthurError) -> None:
    ask(app(sentry, error))
    assert kept(sentry) == []


def test_reports_reach_a_server(collector: Collector) -> None:
    reports = open_reports(f"http://key@127.0.0.1:{collector.port}/1")
    ask(app(reports, KeyError("x")))
    reports.close()
    ((path, body),) = collector.taken
    assert path == "/api/1/envelope/"
    assert b"KeyError" in body
    assert PICTURE not in body


def test_a_server_that_is_away_costs_no_request() -> None:
    reports = open_reports(f"http://key@127.0.0.1:{free_port()}/1")
    assert ask(app(reports, KeyError("x"))) == 500
    reports.close()


def test_nobody_is_told_unless_it_is_asked_for() -> None:
    assert isinstance(open_reports(""), NoReports)


def test_a_dsn_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="sentry"):
        open_reports("sentry.example")
