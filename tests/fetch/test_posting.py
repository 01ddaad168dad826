"""Posting to public addresses only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from arthur.errors import BadRequest, FetchError
from arthur.fetch import Poster

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def site() -> Iterator[Callable[..., tuple[str, list[bytes]]]]:
    """Start a server: `site(status, location)` returns its URL and the bodies it will get."""
    opened: list[ThreadingHTTPServer] = []

    def start(status: int = 200, location: str = "") -> tuple[str, list[bytes]]:
        bodies: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(status)
                self.send_header("location", location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        opened.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=opened[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{opened[-1].server_port}/hook", bodies

    yield start
    for server in opened:
        server.shutdown()
        server.server_close()


def test_the_body_arrives_and_the_status_comes_back(site: Callable[..., Any]) -> None:
    url, bodies = site(202)
    assert Poster(timeout_s=5, allow=LOOPBACK)(url, b"body", {"x": "y"}) == 202
    assert bodies == [b"body"]


def test_a_redirect_is_not_followed(site: Callable[..., Any]) -> None:
    target, bodies = site()
    url, _ = site(307, target)
    assert Poster(timeout_s=5, allow=LOOPBACK)(url, b"body", {}) == 307
    assert bodies == []


def test_a_private_address_is_never_contacted(site: Callable[..., Any]) -> None:
    url, bodies = site()
    with pytest.raises(FetchError, match="public internet"):
        Poster(timeout_s=5)(url, b"body", {})
    assert bodies == []


def test_a_name_that_leads_to_a_private_address_is_never_contacted(site: Callable[..., Any]) -> None:
    url, bodies = site()
    poster = Poster(timeout_s=5, resolve=lambda host, port: ["127.0.0.1"])
    with pytest.raises(FetchError, match="public internet"):
        poster(url.replace("127.0.0.1", "hook.example"), b"body", {})
    assert bodies == []


@pytest.mark.parametrize(
    "url", ["ftp://a.example/", "file:///etc/passwd", "http://u:p@a.example/", "http://2130706433/"]
)
def test_a_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        Poster(timeout_s=5)(url, b"body", {})


def test_a_server_that_is_not_there_is_a_failed_post() -> None:
    with pytest.raises(FetchError):
        Poster(timeout_s=5, allow=LOOPBACK)("http://127.0.0.1:1/", b"body", {})
