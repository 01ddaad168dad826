"""Tries, waits and deadlines, against a server that answers by a script."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur import errors
from arthur.client import ApiError, BadAnswer, NotFound, Overloaded, Retry, TimedOut, Unreachable, calls
from arthur.client.attempts import Attempts, Received
from arthur.client.connection import http_options
from tests.client.conftest import Step

STATUS = orjson.dumps({"status": "ok", "version": "2", "catalog": None, "index_progress": None})
REMOVED = Step(body=b'{"removed": 1}')
OK, DROPPED = Step(body=STATUS), Step(status=None)
FULL = Step(429, b'{"type": "/problems/overloaded", "detail": "full"}')
DOWN = Step(503, b'{"detail": "the service does not answer"}')
NAME = ("a", "e", "v")


@pytest.mark.parametrize("passing", [FULL, DOWN, DROPPED, Step(502, b"<html>"), Step(504, b""), Step(408, b"")])
def test_what_passes_is_tried_again(opened: Callable[..., Any], scripted: Any, passing: Step) -> None:
    assert opened(scripted.plays(passing, passing, OK)).status().status == "ok"
    assert len(scripted.seen) == 3


@pytest.mark.parametrize("step", [Step(500), Step(404), Step(400), Step(422),
                                  Step(502, b'{"type": "/problems/fetch_failed"}'),
                                  Step(504, b'{"type": "/problems/deadline_exceeded"}')])  # fmt: skip
def test_what_would_fail_again_is_not(opened: Callable[..., Any], scripted: Any, step: Step) -> None:
    with pytest.raises(ApiError):
        opened(scripted.plays(step)).status()
    assert len(scripted.seen) == 1


def test_the_last_error_is_raised_when_the_tries_are_used_up(opened: Callable[..., Any], scripted: Any) -> None:
    with pytest.raises(Overloaded, match="full") as caught:
        opened(scripted.plays(FULL), retry=Retry(tries=3, first_wait_s=0, longest_wait_s=0)).status()
    assert len(scripted.seen) == 3
    assert isinstance(caught.value, errors.Overloaded)


def test_a_refused_removal_is_sent_again(opened: Callable[..., Any], scripted: Any) -> None:
    assert opened(scripted.plays(FULL, REMOVED)).remove("a") == 1


@pytest.mark.parametrize("step", [DROPPED, DOWN])
def test_a_removal_whose_fate_is_unknown_is_not(opened: Callable[..., Any], scripted: Any, step: Step) -> None:
    with pytest.raises((Unreachable, ApiError)):
        opened(scripted.plays(step, REMOVED)).remove("a")
    assert len(scripted.seen) == 1


def test_a_removal_that_was_never_sent_is_tried_again(opened: Callable[..., Any], scripted: Any) -> None:
    with socket.socket() as probe:  # bound, but it does not listen: connections are refused
        probe.bind(("127.0.0.1", 0))
        client = opened(f"http://127.0.0.1:{probe.getsockname()[1]}", retry=Retry(first_wait_s=0.1))
        began = time.monotonic()
        with pytest.raises(Unreachable):
            client.remove("a")
    assert time.monotonic() - began > 0.001


def test_retry_after_is_honoured(opened: Callable[..., Any], scripted: Any) -> None:
    began = time.monotonic()
    opened(scripted.plays(Step(429, headers={"retry-after": "1"}), OK)).status()
    assert time.monotonic() - began >= 1.0


def test_a_wait_beyond_the_deadline_is_not_begun(opened: Callable[..., Any], scripted: Any) -> None:
    client = opened(scripted.plays(Step(503, headers={"retry-after": "3600"})))
    with pytest.raises(ApiError) as caught:
        client.status()
    assert (caught.value.status, caught.value.problem.retry_after_s) == (503, 3600.0)


def test_a_deadline_ends_the_wait_for_an_answer(opened: Callable[..., Any], scripted: Any) -> None:
    never = threading.Event()
    client = opened(scripted.plays(Step(wait=never)), deadline_s=0.3)
    with pytest.raises(TimedOut, match=r"0\.3 s") as caught:
        client.status()
    never.set()
    assert isinstance(caught.value, errors.DeadlineExceeded)


def test_a_deadline_ends_an_answer_that_drips(opened: Callable[..., Any]) -> None:
    with dripping() as url, pytest.raises(TimedOut):
        opened(url, deadline_s=0.5).status()


def test_the_server_is_told_what_is_left_of_the_deadline(opened: Callable[..., Any], scripted: Any) -> None:
    with pytest.raises(BadAnswer):
        opened(scripted.plays(Step())).match(b"x", deadline_s=2)
    told = float(httpx.URL(scripted.seen[0][1]).params["deadline_ms"])
    assert 0 < told < 2000


def test_a_body_is_sent_whole_again(opened: Callable[..., Any], scripted: Any, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(bytes(range(256)) * 3000)
    with pytest.raises(BadAnswer):
        opened(scripted.plays(DROPPED, FULL, Step())).match(tmp_path / "photo")
    assert [len(body) for *_, body in scripted.seen] == [768_000] * 3
    assert len({headers["x-request-id"] for _, _, headers, _ in scripted.seen}) == 1


def test_connections_are_used_again(opened: Callable[..., Any], scripted: Any) -> None:
    client = opened(scripted.plays(OK))
    for _ in range(5):
        client.status()
    assert len(scripted.peers) < 5


def test_a_key_goes_with_every_request(opened: Callable[..., Any], scripted: Any) -> None:
    opened(scripted.plays(OK), api_key="secret").status()
    assert scripted.seen[0][2]["authorization"] == "Bearer secret"


def test_a_redirect_is_not_followed_with_the_key(opened: Callable[..., Any], scripted: Any) -> None:
    moved = Step(302, headers={"location": "http://127.0.0.1:1/"})
    with pytest.raises(ApiError, match="302"):
        opened(scripted.plays(moved), api_key="secret").status()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"status": "fine"}'])
def test_an_answer_of_something_else_is_told_as_such(opened: Callable[..., Any], scripted: Any, body: bytes) -> None:
    with pytest.raises(BadAnswer):
        opened(scripted.plays(Step(body=body))).status()


def test_a_picture_that_shrinks_while_it_is_sent_is_an_error(opened: Callable[..., Any], scripted: Any) -> None:
    class Truncated(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            return b""

    with pytest.raises(OSError, match="shorter"):
        opened(scripted.plays(Step())).match(Truncated(b"x" * 1000))


@pytest.mark.parametrize("url", ["", "127.0.0.1:9000", "ftp://host", "http://", "http://[::1", "arthur"])
def test_an_address_that_is_none_is_refused_at_once(opened: Callable[..., Any], url: str) -> None:
    with pytest.raises(errors.ConfigError):
        opened(url)


@pytest.mark.parametrize(("url", "checked"), [("https://host", True), ("http://host", False)])
def test_certificates_are_checked_wherever_there_are_any(url: str, *, checked: bool) -> None:
    assert http_options(url, None)["verify"] is checked


def test_a_path_before_the_api_is_kept(opened: Callable[..., Any], scripted: Any) -> None:
    opened(scripted.plays(OK) + "/arthur/").status()
    assert scripted.seen[0][1] == "/arthur/api/v1/status"


def test_a_problem_without_a_type_is_known_by_its_status(opened: Callable[..., Any], scripted: Any) -> None:
    with pytest.raises(NotFound) as caught:
        opened(scripted.plays(Step(404, b'{"detail": "no such thing"}', {"x-request-id": "r1"}))).status()
    assert (caught.value.detail, caught.value.title, caught.value.request_id) == ("no such thing", "Not Found", "r1")


@given(
    failures=st.integers(1, 40),
    share=st.floats(0, 1),
    asked=st.none() | st.integers(0, 50),
    retry=st.builds(Retry, tries=st.just(100), first_wait_s=st.floats(0, 2), longest_wait_s=st.floats(0, 20)),
)
def test_every_wait_lies_between_what_was_asked_for_and_its_ceiling(
    failures: int, share: float, asked: int | None, retry: Retry
) -> None:
    attempts = Attempts(calls.status(), retry=retry, deadline_s=1e9, request_id="",
                        clock=lambda: 0.0, chance=lambda low, high: low + share * (high - low))  # fmt: skip
    headers = {} if asked is None else {"retry-after": str(asked)}
    waits = [attempts.answered(Received(429, headers, b"")) for _ in range(failures)]
    least = asked or 0
    assert all(w is not None and least <= w <= least + retry.longest_wait_s for w in waits)
    assert waits[0] is not None
    assert waits[0] <= least + retry.first_wait_s


def test_retry_after_may_be_a_date() -> None:
    attempts = Attempts(calls.status(), retry=Retry(first_wait_s=0), deadline_s=1e9, request_id="")
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    wait = attempts.answered(Received(429, {"retry-after": date}, b""))
    assert wait == pytest.approx(100, abs=10)


@pytest.mark.parametrize("given", ["soon", "-1", "1.5", "", "Mon, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_is_passed_over(given: str) -> None:
    attempts = Attempts(calls.status(), retry=Retry(first_wait_s=0), deadline_s=60, request_id="")
    assert attempts.answered(Received(429, {"retry-after": given}, b"")) == 0.0


def dripping() -> Any:
    """Serve an answer whose body comes a byte at a time and never ends."""
    from contextlib import contextmanager

    @contextmanager
    def serving() -> Any:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=drip, args=(listener,), daemon=True).start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            try:
                while True:
                    connection.sendall(b" ")
                    time.sleep(0.02)
            except OSError:
                return

    return serving()
