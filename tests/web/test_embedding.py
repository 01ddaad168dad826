"""The embedding service, served for real, over a fake engine whose runs start and end when a test says so."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from PIL import Image

from arthur.encode.batch import Batched
from arthur.errors import BadRequest
from tests.embedding_service import WAIT_S, Engine, Service, reds, serving, wait_until

PIXELS = {"content-type": "application/x-arthur-pixels"}


class Words:
    """A fake text tower: the vector is the length of the sentence."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        if "" in texts:
            raise BadRequest("a text to search for must not be empty")
        return np.array([[len(text), 0, 0] for text in texts], np.float32)

    def close(self) -> None:
        pass


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def service(engine: Engine) -> Iterator[Service]:
    encoder = Batched(engine, batch_max=4, queue_max=4)
    with serving(encoder, text=Words(), places=8, bytes_max=700, max_image_bytes=4096) as running:
        yield running
        engine.open.set()
    encoder.close()


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with service.client() as opened:
        yield opened


@pytest.fixture
def busy(engine: Engine, service: Service) -> Iterator[ThreadPoolExecutor]:
    """The engine works on a picture of red 0 until the test opens it; the pool is for further requests."""
    engine.open.clear()
    with ThreadPoolExecutor(16) as pool:
        pool.submit(post, service, 0)
        assert engine.entered.acquire(timeout=WAIT_S)
        yield pool
        engine.open.set()


def post(service: Service, *values: int, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    with service.client() as client:
        return client.post("/v1/embed", content=reds(*values).tobytes(), headers=PIXELS | given)


def vectors_of(answer: httpx.Response) -> list[list[float]]:
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<f4").reshape(-1, 3).tolist()


def raw(service: Service, sent: bytes) -> bytes:
    """Send bytes, and return what comes until the service closes or a second passed without a word."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(service.path))
        connection.sendall(sent)
        connection.settimeout(5)
        return connection.recv(65536)


def test_pixels_become_vectors_in_order(service: Service) -> None:
    answer = post(service, 1, 2, 3)
    assert vectors_of(answer) == [[1, 0, 0], [2, 0, 0], [3, 0, 0]]
    assert answer.headers["content-type"] == "application/x-arthur-vectors"
    told = [answer.headers[f"arthur-{name}"] for name in ("engine", "dim", "count")]
    assert told == ["ab" * 32, "3", "3"]


def test_vectors_come_as_json_to_who_accepts_it(client: httpx.Client) -> None:
    answer = client.post("/v1/embed", content=reds(7).tobytes(), headers=PIXELS | {"accept": "application/json"})
    assert answer.json() == {
        "engine": "fake@abababababab",
        "fingerprint": "ab" * 32,
        "dim": 3,
        "vectors": [[7.0, 0.0, 0.0]],
    }


def test_a_picture_is_decoded_to_the_engines_square(client: httpx.Client) -> None:
    encoded = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 8, 7)).save(encoded, "PNG")
    answer = client.post("/v1/embed", content=encoded.getvalue(), headers={"content-type": "image/png"})
    assert vectors_of(answer) == [[9, 8, 7]]


@pytest.mark.parametrize(
    ("kind", "body", "lengths"),
    [("text/plain; charset=utf-8", "blé".encode(), [3]), ("application/json", b'{"texts": ["a", "bcd"]}', [1, 3])],
)
def test_sentences_become_vectors(client: httpx.Client, kind: str, body: bytes, lengths: list[int]) -> None:
    answer = client.post("/v1/embed", content=body, headers={"content-type": kind})
    assert vectors_of(answer) == [[length, 0, 0] for length in lengths]


def test_the_engine_is_described(client: httpx.Client) -> None:
    told = client.get("/v1/engine").json()
    assert {name: told[name] for name in ("protocol", "name", "side", "fit", "dim", "batch_max", "text")} == {
        "protocol": 1,
        "name": "fake",
        "side": 4,
        "fit": "stretch",
        "dim": 3,
        "batch_max": 4,
        "text": True,
    }
    assert told["fingerprint"] == "ab" * 32


def test_calls_of_many_clients_share_a_batch(engine: Engine, service: Service, busy: ThreadPoolExecutor) -> None:
    pending = [busy.submit(post, service, value) for value in (1, 2, 3, 4)]
    wait_until(lambda: service.encoder.stats().queued == 4)
    engine.open.set()
    assert [vectors_of(one.result(WAIT_S)) for one in pending] == [[[value, 0, 0]] for value in (1, 2, 3, 4)]
    assert [len(batch) for batch in engine.batches] == [1, 4]


def test_a_bad_picture_fails_its_own_client_alone(engine: Engine, service: Service, busy: ThreadPoolExecutor) -> None:
    pending = [busy.submit(post, service, value) for value in (1, 255, 3)]
    wait_until(lambda: service.encoder.stats().queued == 3)
    engine.open.set()
    assert [one.result(WAIT_S).status_code for one in pending] == [200, 500, 200]
    assert pending[1].result().json()["type"] == "/problems/engine_failed"


def test_a_full_queue_is_429_with_retry_after(engine: Engine, service: Service, busy: ThreadPoolExecutor) -> None:
    queued = busy.submit(post, service, 1, 2, 3, 4)
    wait_until(lambda: service.encoder.stats().queued == 4)
    refused = post(service, 5)
    engine.open.set()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert queued.result(WAIT_S).status_code == 200


@pytest.mark.parametrize(("length", "fit"), [(48, 8), (192, 3)], ids=["places", "bytes"])
def test_who_finds_no_place_is_429_and_its_body_is_thrown_away(service: Service, length: int, fit: int) -> None:
    head = b"POST /v1/embed HTTP/1.1\r\nHost: e\r\nContent-Type: application/x-arthur-pixels\r\n"
    head += f"Content-Length: {length}\r\n\r\n".encode()
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(fit)]
    for connection in waiting:
        connection.connect(str(service.path))
        connection.sendall(head)
    wait_until(lambda: service.server.inside == fit)
    assert b"429 Too Many Requests" in raw(service, head + b"x" * length)
    for connection in waiting:
        connection.close()
    wait_until(lambda: service.server.inside == 0)
    assert post(service, 1).status_code == 200


def test_a_deadline_that_passed_in_the_queue_is_504_and_nothing_runs(
    engine: Engine, service: Service, busy: ThreadPoolExecutor
) -> None:
    late = busy.submit(post, service, 1, arthur_deadline_ms="20")
    assert late.result(WAIT_S).status_code == 504
    engine.open.set()
    assert vectors_of(post(service, 2)) == [[2, 0, 0]]
    assert engine.batches == [[0], [2]]


def test_a_client_that_left_is_not_run(engine: Engine, service: Service, busy: ThreadPoolExecutor) -> None:
    with service.client() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/v1/embed", content=reds(1).tobytes(), headers=PIXELS, timeout=0.2)
    wait_until(lambda: service.server.inside == 1)
    engine.open.set()
    assert vectors_of(post(service, 2)) == [[2, 0, 0]]
    assert engine.batches == [[0], [2]]
    assert service.encoder.stats().left == 1


@pytest.mark.parametrize(
    ("kind", "body", "status", "word"),
    [
        ("application/x-arthur-pixels", b"", 400, "4 x 4 x 3"),
        ("application/x-arthur-pixels", b"x" * 47, 400, "4 x 4 x 3"),
        ("application/x-arthur-pixels", b"x" * 48 * 5, 413, "240 bytes, more than the 192"),
        ("image/jpeg", b"no picture", 422, "this is text"),
        ("image/jpeg", b"x" * 4097, 413, "4097 bytes, more than the 4096"),
        ("video/mp4", b"x", 400, "Content-Type has to be"),
        ("application/json", b"{", 400, "texts"),
        ("application/json", b'{"texts": "a"}', 400, "list of 1 to 64"),
        ("application/json", b'{"texts": []}', 400, "list of 1 to 64"),
        ("application/json", b'{"texts": [1]}', 400, "list of 1 to 64"),
        ("application/json", b'{"texts": [""]}', 400, "not be empty"),
        ("text/plain", b"\xff", 400, "UTF-8"),
    ],
)
def test_a_wrong_body_is_a_problem_with_a_reason(
    client: httpx.Client, kind: str, body: bytes, status: int, word: str
) -> None:
    answer = client.post("/v1/embed", content=body, headers={"content-type": kind, "x-request-id": "mine"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert word in answer.json()["detail"]
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine"


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("arthur-side", "5", 400),
        ("arthur-count", "2", 400),
        ("arthur-deadline-ms", "soon", 400),
        ("arthur-deadline-ms", "-1", 400),
        ("arthur-engine", "cd" * 32, 421),
    ],
)
def test_headers_that_say_otherwise_are_refused(service: Service, name: str, value: str, status: int) -> None:
    assert post(service, 1, **{name: value}).status_code == status


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/v1/embed"), ("PUT", "/v1/embed")])
def test_other_paths_are_not_found(client: httpx.Client, method: str, path: str) -> None:
    assert client.request(method, path).status_code == 404


def test_a_body_of_unknown_length_is_refused(service: Service) -> None:
    head = b"POST /v1/embed HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b"400 Bad Request" in raw(service, head + b"ZZ\r\n")
    assert post(service, 1).status_code == 200


def test_a_request_that_is_cut_short_runs_nothing(engine: Engine, service: Service) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(service.path))
        connection.sendall(b"POST /v1/embed HTTP/1.1\r\nHost: e\r\nContent-Type: application/x-arthur-pixels\r\n")
        connection.sendall(b"Content-Length: 48\r\n\r\nxyz")
        wait_until(lambda: service.server.inside == 1)
    wait_until(lambda: service.server.inside == 0)
    assert vectors_of(post(service, 1)) == [[1, 0, 0]]
    assert engine.batches == [[1]]


def test_ready_embeds_the_fixed_picture(engine: Engine, client: httpx.Client) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
    engine.broken = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the fake engine failed")
    assert client.get("/healthz").status_code == 200


def test_what_is_in_flight_ends_and_what_comes_is_503_while_stopping(
    engine: Engine, service: Service, busy: ThreadPoolExecutor
) -> None:
    with service.client() as client:
        assert client.get("/healthz").status_code == 200
        queued = busy.submit(post, service, 1)
        wait_until(lambda: service.encoder.stats().queued == 1)
        stopping = busy.submit(service.stop)
        wait_until(lambda: service.app.draining)
        refused = client.post("/v1/embed", content=reds(2).tobytes(), headers=PIXELS)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/engine_unavailable")
    engine.open.set()
    stopping.result(WAIT_S)
    assert vectors_of(queued.result(WAIT_S)) == [[1, 0, 0]]


def test_metrics_tell_batches_and_answers(service: Service, client: httpx.Client) -> None:
    post(service, 1, 2)
    post(service, 255)
    text = client.get("/metrics").text
    assert 'arthur_embedder_pictures_total{engine="fake@abababababab"} 3.0' in text
    assert 'arthur_embedder_answers_total{status="500"} 1.0' in text
