"""Fetching from public addresses only, in bounded time and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from arthur.errors import BadRequest, ConfigError, FetchError, HostUnavailable, ImageTooLarge
from arthur.fetch import Fetcher

LOOPBACK = ("127.0.0.1/32",)


class Site:
    """A web server on the loopback; `calls` are the paths it was asked for."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None], address: str) -> None:
        self.calls: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.calls.append(self.path)
                answer(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer((address, 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://{address}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def body(data: bytes = b"picture", status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content-length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def drip(head: bytes, drop: bytes, seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        end = time.monotonic() + seconds
        handler.wfile.write(head)
        while time.monotonic() < end:
            handler.wfile.write(drop)
            time.sleep(0.02)

    return answer


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    opened: list[Site] = []

    def open_site(answer: Callable[[BaseHTTPRequestHandler], None], address: str = "127.0.0.1") -> Site:
        opened.append(Site(answer, address))
        return opened[-1]

    yield open_site
    for one in opened:
        one.close()


def fetcher(**given: Any) -> Fetcher:
    return Fetcher(**{"max_bytes": 1000, "timeout_s": 2.0, "retries": 0, "allow": LOOPBACK, **given})


def test_the_body_is_returned(site: Callable[..., Site]) -> None:
    assert fetcher()(site(body(b"picture")).url + "/a?b=c") == b"picture"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "240.0.0.1",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fec0::1]",
        "[64:ff9b:1::7f00:1]",
        "[fc00::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2001:0:53aa:64c:0:0:80ff:fffe]",
        "localhost",
    ],
)
def test_an_address_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(FetchError, match="not on the public internet"):
        fetcher(allow=())(f"http://{host}/")


def test_a_forbidden_server_is_never_contacted(site: Callable[..., Site]) -> None:
    forbidden = site(body())
    with pytest.raises(FetchError):
        fetcher(allow=())(forbidden.url)
    assert forbidden.calls == []


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "1.2.3.4.5",
        "256.1.1.1",
        "0",
    ],
)
def test_a_host_spelt_as_an_odd_number_is_refused(host: str) -> None:
    with pytest.raises(BadRequest):
        fetcher()(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "//a.example/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example",
        "http://",
        "http:///x",
        "http://user@a.example/",
        "http://user:word@a.example/",
        "http://a.example\\@127.0.0.1/",
        "http://a b/",
        "http://a\n.example/",
        "http://[::1",
        "http://a.example:x/",
        "javascript:alert(1)",
        "http://" + "a" * 5000,
    ],
)
def test_a_url_of_another_form_is_a_bad_request(url: str) -> None:
    with pytest.raises(BadRequest):
        fetcher()(url)


def test_a_name_with_one_private_address_is_refused(site: Callable[..., Site]) -> None:
    forbidden = site(body())
    ask = fetcher(allow=(), resolve=lambda host, port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(FetchError, match="public"):
        ask(f"http://a.example:{forbidden.server.server_port}/")
    assert forbidden.calls == []


def test_the_connection_goes_to_the_address_that_was_checked(site: Callable[..., Site]) -> None:
    good = site(body())
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    ask = fetcher(resolve=lambda host, port: next(answers))
    assert ask(f"http://a.example:{good.server.server_port}/") == b"picture"
    assert next(answers) == ["127.0.0.2"]


def test_a_name_that_turns_private_is_refused_at_the_next_connection(site: Callable[..., Site]) -> None:
    there = site(body(b"", 302, location="/next"))
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    with pytest.raises(FetchError, match="public"):
        fetcher(resolve=lambda host, port: next(answers))(f"http://a.example:{there.server.server_port}/")
    assert there.calls == ["/"]


def test_the_host_header_is_the_name(site: Callable[..., Site]) -> None:
    hosts: list[str] = []
    there = site(lambda handler: (hosts.append(handler.headers["host"]), body()(handler))[1])
    port = there.server.server_port
    fetcher(resolve=lambda host, port: ["127.0.0.1"])(f"http://a.example:{port}/")
    assert hosts == [f"a.example:{port}"]


def test_a_redirect_to_a_forbidden_server_is_refused_without_contact(site: Callable[..., Site]) -> None:
    forbidden = site(body(), "127.0.0.2")
    there = site(body(b"", 302, location=forbidden.url + "/secret"))
    with pytest.raises(FetchError, match="public"):
        fetcher()(there.url)
    assert (forbidden.calls, there.calls) == ([], ["/"])


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://2130706433/",
        "ftp://a.example/",
        "//[::1]/",
        "http://user@127.0.0.1/",
    ],
)
def test_a_redirect_to_what_may_not_be_fetched_is_refused(site: Callable[..., Site], location: str) -> None:
    with pytest.raises(FetchError):
        fetcher()(site(body(b"", 302, location=location)).url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(site: Callable[..., Site], status: int) -> None:
    end = site(body(b"end"))
    assert fetcher()(site(body(b"", status, location=end.url)).url) == b"end"


def test_redirects_are_bounded(site: Callable[..., Site]) -> None:
    circle = site(body(b"", 302, location="/"))
    with pytest.raises(FetchError, match="more than 5 redirects"):
        fetcher()(circle.url)
    assert len(circle.calls) == 6


def test_a_declared_length_beyond_the_limit_is_refused(site: Callable[..., Site]) -> None:
    with pytest.raises(ImageTooLarge):
        fetcher()(site(body(b"x" * 1001)).url)


def test_an_undeclared_length_beyond_the_limit_is_refused_while_reading(site: Callable[..., Site]) -> None:
    endless = site(drip(b"HTTP/1.0 200 OK\r\n\r\n", b"x" * 500, 1.5))
    before = time.monotonic()
    with pytest.raises(ImageTooLarge):
        fetcher()(endless.url)
    assert time.monotonic() - before < 1.4


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nX: ", b""])
def test_drops_of_bytes_do_not_outlast_the_deadline(site: Callable[..., Site], head: bytes) -> None:
    slow = site(drip(head, b"H", 3))
    before = time.monotonic()
    with pytest.raises(FetchError):
        fetcher(timeout_s=0.5)(slow.url)
    assert time.monotonic() - before < 2


def test_a_failure_of_the_server_is_tried_again(site: Callable[..., Site]) -> None:
    failures = [body(b"", 503), body(b"", 500), body(b"picture")]
    there = site(lambda handler: failures.pop(0)(handler))
    assert fetcher(retries=2)(there.url) == b"picture"


def test_tries_are_bounded(site: Callable[..., Site]) -> None:
    there = site(body(b"", 503))
    with pytest.raises(FetchError, match="503"):
        fetcher(retries=2)(there.url)
    assert len(there.calls) == 3


@pytest.mark.parametrize("status", [204, 206, 304, 400, 404])
def test_any_other_status_is_told_at_once(site: Callable[..., Site], status: int) -> None:
    there = site(body(b"", status))
    with pytest.raises(FetchError, match=str(status)):
        fetcher(retries=2)(there.url)
    assert len(there.calls) == 1


@pytest.mark.parametrize(("status", "asked"), [(429, 1), (503, 2)])
def test_a_server_that_may_answer_later_is_told_apart(site: Callable[..., Site], status: int, asked: int) -> None:
    there = site(body(b"", status))
    with pytest.raises(HostUnavailable, match=str(status)):
        fetcher(retries=1)(there.url)
    assert len(there.calls) == asked


def test_a_compressed_body_is_refused(site: Callable[..., Site]) -> None:
    with pytest.raises(FetchError, match="compressed"):
        fetcher()(site(body(content_encoding="gzip")).url)


def test_a_length_that_is_no_number_is_a_failed_fetch(site: Callable[..., Site]) -> None:
    with pytest.raises(FetchError):
        fetcher()(site(drip(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", b"", 0)).url)


def test_proxies_of_the_environment_are_not_used(site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert fetcher()(site(body()).url) == b"picture"


def test_an_unresolvable_name_is_a_failed_fetch() -> None:
    def refuse(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(FetchError, match="cannot be resolved"):
        fetcher(resolve=refuse)("http://a.example/")


def test_a_malformed_network_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="fetch_allow"):
        fetcher(allow=("nonsense",))
