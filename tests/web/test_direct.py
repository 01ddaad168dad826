"""The server for direct exposure: what nobody stands in front to keep away."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

MATCH = "/api/v1/match"
HEAD = f"POST {MATCH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: image/png\r\n"
CHUNKED = HEAD + "Transfer-Encoding: chunked\r\n\r\n"
GET = "GET /healthz HTTP/1.1\r\n"
HOST = "Host: a\r\nConnection: close\r\n"


def status_of(answer: bytes) -> int:
    """Return the status of the first answer."""
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "chunks", ["ZZ\r\n", "3\r\nabc\r\nZZ\r\n", "3\r\nabcdef\r\n", "-1\r\n", "fffffffffffffffff\r\n"]
)
def test_malformed_chunks_are_400_and_cost_nothing(server: Any, chunks: str) -> None:
    before = server.workers()
    assert status_of(server.send((CHUNKED + chunks).encode())) == 400
    assert server.workers() == before
    assert server.answers()


def test_a_chunked_body_that_breaks_off_is_never_taken_for_whole(server: Any) -> None:
    form = CHUNKED.replace("image/png", "application/x-www-form-urlencoded").replace(MATCH, "/match")
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall((form + "1c\r\nimgUrl=http://example.org/a\r\n").encode())
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert (status_of(answer), b"before it was whole" in answer) == (400, True)


AMBIGUOUS = {
    "no host": GET + "Connection: close\r\n",
    "two hosts": GET + HOST + "Host: b\r\n",
    "two lengths": HEAD + "Content-Length: 3\r\nContent-Length: 4\r\n",
    "a signed length": HEAD + "Content-Length: +3\r\n",
    "another coding": HEAD + "Transfer-Encoding: gzip, chunked\r\n",
    "an unknown coding": HEAD + "Transfer-Encoding: xchunked\r\n",
    "a space before the colon": HEAD + "Transfer-Encoding : chunked\r\n",
    "a folded header": GET + HOST + "X: a\r\n b\r\n",
    "a zero byte": GET + HOST + "X: a\0b\r\n",
    "a target that is no URL": "GET /\xff HTTP/1.1\r\n" + HOST,
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_what_two_servers_could_read_differently_is_400(server: Any, case: str) -> None:
    assert status_of(server.send((AMBIGUOUS[case] + "\r\n").encode("latin-1") + b"abc")) == 400


def test_a_request_with_both_framings_ends_its_connection(server: Any) -> None:
    hidden = f"GET /healthz HTTP/1.1\r\n{HOST}\r\n"
    both = CHUNKED.replace("Connection: close", "Content-Length: 5")
    answer = server.send((both + "0\r\n\r\n" + hidden).encode())
    assert (answer.count(b"HTTP/1.1 "), b"connection: close" in answer.lower()) == (1, True)


def test_requests_in_a_row_are_answered_in_order(server: Any) -> None:
    paths = ["/healthz", "/nowhere", "/list-pickles", "/healthz"]
    heads = [f"GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-ID: n{n}\r\n" for n, path in enumerate(paths)]
    answer = server.send("\r\n".join([*heads[:-1], heads[-1] + "Connection: close\r\n\r\n"]).encode())
    found = [(int(part[:3]), part.partition(b"x-request-id: ")[2][:2]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert found == [(200, b"n0"), (404, b"n1"), (200, b"n2"), (200, b"n3")]


EARLY = {
    "no such path": ("POST /nowhere", 100, 404),
    "no such method": (f"PATCH {MATCH}", 100, 405),
    "too long": (f"POST {MATCH}", 99_000_000, 413),
    "far too long": (f"POST {MATCH}", 10**19, 413),
}


@pytest.mark.parametrize("case", EARLY)
def test_what_is_refused_is_refused_before_its_body_comes(server: Any, case: str) -> None:
    line, length, status = EARLY[case]
    head = f"{line} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(head.encode())
        assert status_of(connection.recv(65536)) == status


def test_who_waits_for_100_is_told_to_continue(server: Any, pictures: Callable[..., bytes]) -> None:
    body = pictures(1)
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(f"{HEAD}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert status_of(connection.recv(65536)) == 200


@pytest.mark.parametrize("size", [100, 300_000])
def test_a_caller_who_sends_all_the_same_sees_the_refusal_and_can_go_on(client: httpx.Client, size: int) -> None:
    assert client.post("/nowhere", content=b"x" * size).status_code == 404
    assert client.get("/healthz").status_code == 200


@pytest.fixture
def unfinished(server: Any) -> Iterator[None]:
    """Three hundred connections that stop in the middle of a head, and as many in the middle of a body."""
    with ExitStack() as opened:
        for sent in ["GET / HT", f"{HEAD}Content-Length: 1000\r\n\r\nab"] * 300:
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            connection.sendall(sent.encode())
        yield


@pytest.mark.usefixtures("unfinished")
def test_connections_that_never_finish_take_no_place(client: httpx.Client, pictures: Callable[..., bytes]) -> None:
    asked = {"content": pictures(1), "headers": {"content-type": "image/png", "connection": "close"}}
    assert {client.post(MATCH, **asked).status_code for _ in range(8)} == {200}


def test_a_caller_that_dies_in_the_middle_harms_nobody(server: Any) -> None:
    before = server.workers()
    for cut in range(0, 120, 3):
        with socket.create_connection(("127.0.0.1", server.port), 10) as hasty:
            hasty.sendall((HEAD + "Content-Length: 1000\r\n\r\n" + "x" * 50).encode()[:cut])
    assert (server.answers(), server.workers()) == (True, before)


def test_bytes_that_are_no_text_are_taken_for_what_they_are(server: Any) -> None:
    answer = server.send(f"{GET}{HOST}X-Request-ID: \xff\xfe\r\nX-API-Key: \xff\r\n\r\n".encode("latin-1"))
    assert (status_of(answer), b"\xff" in answer) == (200, False)


def test_a_web_socket_elsewhere_is_refused_at_once(server: Any) -> None:
    with pytest.raises(InvalidStatus, match="403"), connect(f"ws://127.0.0.1:{server.port}/ws/other"):
        pass
