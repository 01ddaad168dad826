"""Routing, errors and bodies, without a server."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from arthur.config import Settings
from arthur.errors import (
    ArthurError,
    BadRequest,
    Conflict,
    DeadlineExceeded,
    EngineError,
    FetchError,
    Forbidden,
    ImageTooLarge,
    InvalidImage,
    NotFound,
    Overloaded,
    StoreError,
    Unauthorized,
    UnsupportedImage,
)
from arthur.reports import NoReports
from arthur.tracing import NoTracing
from arthur.web.app import App, request_id
from arthur.web.body import MULTIPART, decode_base64, read_form
from arthur.web.http import MalformedBody, Request, Response, etagged, legacy_error, status_of
from arthur.web.metrics import Metrics
from arthur.web.routes.state import ready
from arthur.web.routing import Route, Table
from tests.web.doors import asked, gate_of, ledger

STATUSES = {
    BadRequest: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    ImageTooLarge: 413,
    InvalidImage: 422,
    UnsupportedImage: 422,
    Overloaded: 429,
    EngineError: 500,
    FetchError: 502,
    StoreError: 503,
    DeadlineExceeded: 504,
}


def app(*routes: Route) -> App:
    service: Any = SimpleNamespace(
        settings=Settings(cors_origins=("*",)), metrics=Metrics(), tracing=NoTracing(), reports=NoReports()
    )
    return App(service, Table(routes), gate=gate_of(), ledger=ledger())


def raising(error: Exception) -> Any:
    def handler(service: Any, request: Request) -> Response:
        raise error

    return handler


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_each_error_has_its_status(kind: type[ArthurError], status: int) -> None:
    assert status_of(kind("why")) == status


@pytest.mark.parametrize(("style", "path"), [("problem", "/api/v1/x"), ("legacy", "/x")])
def test_a_bug_is_a_500_that_leaks_nothing(style: Any, path: str) -> None:
    tested = app(Route("GET", path, raising(KeyError("secret")), style=style))
    answer = tested.run(tested.plan(asked(path)))
    assert answer.status == 500
    assert orjson.loads(answer.body)["detail"] == "internal error"
    assert b"secret" not in answer.body


def test_what_is_logged_in_a_request_carries_its_id() -> None:
    def handler(service: Any, request: Request) -> Response:
        structlog.get_logger().warning("something below")
        raise KeyError("x")

    tested = app(Route("GET", "/a", handler, scope="read"))
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as said:
        tested.run(tested.plan(asked("/a")))
    assert [(one["event"], one["request_id"]) for one in said] == [("something below", "id"), ("bug", "id")]
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize(
    ("error", "status"), [(Overloaded("full"), 200), (EngineError("broken"), 503), (StoreError("away"), 503)]
)
def test_a_full_server_is_ready_and_a_broken_one_is_not(error: Exception, status: int) -> None:
    def failing() -> None:
        raise error

    service: Any = SimpleNamespace(recognizer=SimpleNamespace(ready=failing))
    assert ready(service, asked("/readyz")).status == status


def test_an_overload_says_when_to_come_back() -> None:
    assert legacy_error(Overloaded(retry_after_s=7)).headers["retry-after"] == "7"


def test_a_fixed_segment_wins_over_a_parameter() -> None:
    fixed, free = Route("GET", "/a/{x}", raising(KeyError())), Route("GET", "/a/b", raising(KeyError()))
    table = Table([fixed, free])
    assert table.find("/a/b")[0]["GET"] is free
    assert table.find("/a/c") == ({"GET": fixed}, {"x": "c"})


@pytest.mark.parametrize(
    ("path", "value"), [("/a/b%2Fc", "b/c"), ("/a/b%252Fc", "b%2Fc"), ("/a/b+c/", "b+c"), ("/a/%20", " ")]
)
def test_a_segment_is_decoded_once(path: str, value: str) -> None:
    assert Table([Route("GET", "/a/{x}", raising(KeyError()))]).find(path)[1] == {"x": value}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_no_path_breaks_the_table(path: str) -> None:
    tested = app(Route("GET", "/a/{x}", raising(KeyError())))
    plan = tested.plan(asked("/" + path))
    assert plan.route is not None or plan.answer.status in (400, 404)


def test_a_preflight_is_allowed_for_any_origin() -> None:
    tested = app(Route("POST", "/a", raising(KeyError())))
    headers = {"origin": "https://a.example", "access-control-request-method": "POST"}
    plan = tested.plan(asked("/a", "OPTIONS", headers=headers))
    answer = tested.finish(plan, plan.answer)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "*")


@pytest.mark.parametrize("tags", ['"5"', 'W/"5"', '"4", "5"', "*"])
def test_a_known_tag_is_304(tags: str) -> None:
    assert etagged(asked(headers={"if-none-match": tags}), "5", Response(200)).status == 304


@given(st.text())
def test_a_request_id_is_always_plain(given_id: str) -> None:
    kept = request_id(given_id)
    assert kept.isascii()
    assert 0 < len(kept) <= 128


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_base64_also_comes_as_a_data_url(prefix: str) -> None:
    assert decode_base64(prefix + "QUJD", 3) == b"ABC"


def test_base64_beyond_the_limit_is_not_decoded() -> None:
    with pytest.raises(ImageTooLarge):
        decode_base64("A" * 100, 3)


@given(st.lists(st.tuples(st.sampled_from(["image", "k"]), st.booleans(), st.binary(max_size=200)), max_size=5))
def test_every_part_of_a_form_arrives(parts: list[tuple[str, bool, bytes]]) -> None:
    parts = [(name, file, data if file else data.hex().encode()) for name, file, data in parts]
    body = b"".join(
        b'--bo-un-da-ry\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (name.encode(), b'; filename="same"' if file else b"", data)
        for name, file, data in parts
    )
    request = asked(body=body + b"--bo-un-da-ry--\r\n", headers={"content-type": f"{MULTIPART}; boundary=bo-un-da-ry"})
    form = read_form(request, 1000)
    assert sum(map(len, form.files.values())) + sum(map(len, form.fields.values())) == len(parts)
    for name in ("image", "k"):
        sent = [data for other, file, data in parts if file and other == name]
        assert [one.data for one in form.files.get(name, ())] == sent


@given(st.binary(max_size=300))
def test_a_multipart_body_is_read_or_refused(body: bytes) -> None:
    request = asked(body=b"--b" + body, headers={"content-type": f"{MULTIPART}; boundary=b"})
    with suppress(MalformedBody):
        assert read_form(request, 1000).files is not None
