"""Requests that no honest client sends: each gets an answer of ours, or costs one worker at most."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

MATCH = "/api/v1/match"


def multipart(body: bytes, boundary: str = "b") -> dict:
    return {"content": body, "headers": {"content-type": f"multipart/form-data; boundary={boundary}"}}


PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx'
MALFORMED = {
    "garbage": multipart(b"garbage"),
    "empty": multipart(b""),
    "unfinished part": multipart(PART),
    "unfinished header": multipart(b"--b\r\nContent-Disposition"),
    "no disposition": multipart(b"--b\r\n\r\nx\r\n--b--\r\n"),
    "no boundary": {"content": PART, "headers": {"content-type": "multipart/form-data"}},
    "other boundary": multipart(PART + b"\r\n--b--\r\n", "c"),
    "long boundary": multipart(PART, "b" * 5000),
    "bare newlines": multipart(PART.replace(b"\r\n", b"\n") + b"\n--b--\n"),
    "many parts": multipart((PART + b"\r\n") * 300 + b"--b--\r\n"),
    "long header": multipart(b"--b\r\nX: " + b"y" * 20_000 + b"\r\n\r\nx\r\n--b--\r\n"),
    "text that is no text": multipart(b'--b\r\nContent-Disposition: form-data; name="k"\r\n\r\n\xff\r\n--b--\r\n'),
    "after the end": multipart(PART + b"\r\n--b--\r\nmore" + PART),
}


@pytest.mark.parametrize("path", [MATCH, "/match", "/artist/image/a/b/c"])
@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_multipart_is_told_on_a_connection_that_lives_on(client: httpx.Client, case: str, path: str) -> None:
    answer = client.post(path, **MALFORMED[case])
    assert answer.status_code == (400 if path == MATCH else 422)
    assert answer.headers["content-type"] in ("application/problem+json", "application/json")
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("media", ["image/png", "application/json", "multipart/form-data; boundary=b"])
def test_a_body_shorter_than_declared_is_never_taken_for_whole(server: Any, media: str) -> None:
    head = f"POST {MATCH} HTTP/1.1\r\nHost: a\r\nContent-Type: {media}\r\nContent-Length: 100\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(head + b"abc")
        connection.shutdown(socket.SHUT_WR)
        assert b" 200 " not in connection.recv(65536)[:20]
    assert server.answers()


def test_a_raw_picture_without_a_length_is_400(client: httpx.Client, pictures: Callable[..., bytes]) -> None:
    answer = client.post(MATCH, content=iter([pictures(1)]), headers={"content-type": "image/png"})
    assert (answer.status_code, "Content-Length" in answer.json()["detail"]) == (400, True)


def test_a_chunked_form_is_taken(client: httpx.Client, pictures: Callable[..., bytes]) -> None:
    whole = httpx.Request("POST", "http://a/", files={"image": ("a.png", pictures(1))})
    sent = {"content": iter([whole.read()]), "headers": {"content-type": whole.headers["content-type"]}}
    assert client.post(MATCH, **sent).status_code == 200


def test_a_compressed_body_is_400(client: httpx.Client, pictures: Callable[..., bytes]) -> None:
    headers = {"content-type": "image/png", "content-encoding": "gzip"}
    assert client.post(MATCH, content=pictures(1), headers=headers).status_code == 400


@pytest.mark.parametrize(
    "target",
    ["/api/v1/artists/%FF", "/match/%ff", "/status?a=%ff", "//", "/%", "/api/v1/artists/%zz", "/" + "a/" * 4000],
)
def test_an_odd_target_gets_an_answer_of_ours(server: Any, target: str) -> None:
    answer = server.send(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"400", b"404", b"405", b"200")
    assert b"x-request-id" in answer


def test_deep_json_is_400(client: httpx.Client) -> None:
    body = b'{"images":' + b"[" * 100_000
    assert (
        client.post("/api/v1/batch/match", content=body, headers={"content-type": "application/json"}).status_code
        == 400
    )


def test_30_megabytes_are_413(client: httpx.Client) -> None:
    answer = client.post(MATCH, content=b"x" * 30_000_000, headers={"content-type": "image/png"})
    assert answer.status_code == 413


def test_a_slow_client_keeps_nobody_waiting(server: Any, client: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as slow:
        slow.sendall(
            f"POST {MATCH} HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nab".encode()
        )
        assert all(client.get("/healthz").elapsed.total_seconds() < 2 for _ in range(5))


def test_chunked_garbage_costs_a_worker_and_the_service_goes_on(
    own: Callable[..., Any], in_time: Callable[..., Any]
) -> None:
    served = own(workers=2)
    before = set(served.workers())
    head = f"POST {MATCH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
    served.send(head.encode())
    assert in_time(served.answers, 2.0)
    assert in_time(lambda: len(served.workers()) == 2 and in_time(served.answers), 10)
    assert len(before & set(served.workers())) >= 1


def test_a_client_that_leaves_at_once_harms_nobody(server: Any) -> None:
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", server.port), 10) as hasty:
            hasty.sendall(b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n")
    assert server.answers()
