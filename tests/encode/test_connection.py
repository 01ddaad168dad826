"""Claims about one HTTP connection, against a listener that says what a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from arthur.encode.address import Address
from arthur.encode.connection import Ask, Connection, Lost, Unreached

WAIT_S = 30.0
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nArthur-Dim:  7 \r\n\r\nab"


@pytest.fixture
def listening() -> Iterator[Callable[..., tuple[Connection, list[bytes]]]]:
    """Connect to a listener that reads one request into the list and sends `pieces`, each by itself, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard: list[bytes] = []

        def serve(pieces: Sequence[bytes]) -> None:
            with listener.accept()[0] as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                heard.append(connection.recv(65536))
                for piece in pieces:
                    connection.sendall(piece)

        def connect(*pieces: bytes) -> tuple[Connection, list[bytes]]:
            threading.Thread(target=serve, args=(pieces,), daemon=True).start()
            host, port = listener.getsockname()
            connection = Connection(Address(f"http://{host}:{port}", host, port), timeout_s=WAIT_S)
            connection.send(Ask("POST", "/v1/embed", {"accept": "x"}, b"body"), timeout_s=WAIT_S)
            opened.append(connection)
            return connection, heard

        opened: list[Connection] = []
        yield connect
        for one in opened:
            one.close()


def test_an_answer_that_comes_byte_by_byte_is_read_whole(
    listening: Callable[..., tuple[Connection, list[bytes]]],
) -> None:
    connection, _ = listening(*(GOOD[place : place + 1] for place in range(len(GOOD))))
    answer = connection.answer(WAIT_S)
    assert (answer.status, answer.body, answer.headers["arthur-dim"], answer.is_last) == (200, b"ab", "7", False)


def test_a_request_tells_host_and_length(listening: Callable[..., tuple[Connection, list[bytes]]]) -> None:
    connection, heard = listening(GOOD)
    connection.answer(WAIT_S)
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert body == b"body"
    assert head.split(b"\r\n")[0] == b"POST /v1/embed HTTP/1.1"
    assert {b"content-length: 4", b"accept: x"} < set(head.split(b"\r\n"))
    assert b"host: 127.0.0.1:" in head


@pytest.mark.parametrize(
    "said",
    [
        b"",
        GOOD[:-1],
        GOOD + b"c",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 2 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000,
    ],
)
def test_what_is_no_answer_of_a_service_is_lost(
    listening: Callable[..., tuple[Connection, list[bytes]]], said: bytes
) -> None:
    connection, _ = listening(said)
    with pytest.raises(Lost):
        connection.answer(WAIT_S)


def test_an_answer_that_does_not_come_in_time_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        connection = Connection(Address("", host, port), timeout_s=WAIT_S)
        with pytest.raises(Lost, match="it did not answer in time"):
            connection.answer(0.01)


def test_where_nobody_listens_nothing_was_seen() -> None:
    with pytest.raises(Unreached, match="no such file or directory"):
        Connection(Address("unix:/nowhere/s", path="/nowhere/s"), timeout_s=1)
