"""A live server over fakes: the real supervisor, real workers, real sockets."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from arthur.access import NewKey, make_key
from arthur.catalog import open_catalog
from tests.ports import free_port

HERE = Path(__file__).parent
SERVE = HERE / "fake_serve.py"


BOTH = {"test_hostile", "test_legacy", "test_match", "test_views", "test_access"}
"""Modules whose claims hold for each server in front of the handlers."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    servers = ["robyn", "granian"] if module in BOTH else ["granian"] if module == "test_direct" else []
    for shared in {"server", "keyed"} & set(metafunc.fixturenames):
        if servers:
            metafunc.parametrize(shared, servers, indirect=True, scope="session")


def picture(seed: int, *, dark: bool = False, kind: str = "PNG", side: int = 64) -> bytes:
    """Return a picture that only its seed decides."""
    pixels = np.random.default_rng(seed).integers(9, 255, (8, 8, 3), dtype=np.uint8)
    if dark:
        pixels[0, 0] = 0
    encoded = io.BytesIO()
    Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST).save(encoded, kind)
    return encoded.getvalue()


def eventually(claim: Callable[[], Any], within_s: float = 20.0) -> Any:
    """Return the first true answer of `claim`, or its last."""
    end = time.monotonic() + within_s
    while not (answer := claim()) and time.monotonic() < end:
        time.sleep(0.02)
    return answer


@dataclass
class Served:
    """A supervisor that listens."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in listed]

    def send(self, raw: bytes, timeout_s: float = 10.0) -> bytes:
        """Send raw bytes on a connection of their own and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout_s) as connection:
            connection.sendall(raw)
            answer = b""
            with contextlib.suppress(OSError):
                while chunk := connection.recv(65536):
                    answer += chunk
        return answer

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.url + "/healthz", timeout=5, verify=False).status_code == 200
        return False

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


def start(folder: Path, **settings: Any) -> Served:
    """Start a supervisor and wait until it says that it listens."""
    given = {"data": str(folder / "data"), "port": free_port(), "workers": 1, "fetch_retries": 0, **settings}
    log = folder / "log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(SERVE), json.dumps(given)],
            stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True, cwd=folder,
        )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.stdout.close()
        process.wait()
    host = given.get("host", "127.0.0.1")
    scheme = "https" if "tls_cert" in given else "http"
    assert line == f"listening on {scheme}://{host}:{given['port']}\n", log.read_text()
    return Served(process, given["port"], log)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two workers, shared by all tests that only ask questions; of Robyn, unless the module is one of BOTH."""
    served = start(
        tmp_path_factory.mktemp("served"), workers=2, server=getattr(request, "param", "robyn"),
        fetch_allow=["127.0.0.0/8"], max_image_bytes=2_000_000, cors_origins=["https://page.example"],
        match_log_days=30,
    )  # fmt: skip
    yield served
    assert served.stop() == 0
    served.process.stdout.close()  # type: ignore[union-attr]


KEYS = {
    "reader": NewKey("reader"),
    "writer": NewKey("writer", "write"),
    "admin": NewKey("admin", "admin"),
    "mine": NewKey("mine", "write", ("mine", "also mine")),
}


def bearer(token: object) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"authorization": f"Bearer {token}"}


@dataclass
class Keyed:
    """A server that demands keys; `tokens` are by the names in KEYS."""

    served: Served
    tokens: dict[str, str]
    data: Path

    @property
    def url(self) -> str:
        return self.served.url

    def ask(self, method: str, path: str, name: str = "", **given: Any) -> httpx.Response:
        """Send a request with the token of that name, or without one."""
        headers = {**given.pop("headers", {}), **(bearer(self.tokens[name]) if name else {})}
        return httpx.request(method, self.url + path, headers=headers, timeout=30, verify=False, **given)


@pytest.fixture(scope="session")
def keyed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """Two workers and four keys, shared by all tests that change neither keys nor foreign artists."""
    folder = tmp_path_factory.mktemp("keyed")
    made = {name: make_key(wanted, now_us=time.time_ns() // 1000) for name, wanted in KEYS.items()}
    catalog = open_catalog(f"sqlite:///{folder}/data/catalog.db")
    catalog.put_api_keys([key for _, key in made.values()])
    catalog.close()
    of = getattr(request, "param", "robyn")
    served = start(
        folder, workers=2, server=of, max_image_bytes=2_000_000, fetch_allow=["127.0.0.0/8"], match_log_days=30
    )
    yield Keyed(served, {name: str(token) for name, (token, _) in made.items()}, folder / "data")
    assert served.stop() == 0
    served.process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start servers of a test's own; those that still run are killed in the end."""
    started: list[Served] = []

    def begin(**settings: Any) -> Served:
        started.append(start(tmp_path, **settings))
        return started[-1]

    yield begin
    for served in started:
        served.process.kill()
        served.process.wait()
        served.process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30, verify=False) as opened:
        yield opened


@pytest.fixture
def artist(request: pytest.FixtureRequest) -> str:
    """An artist of the test's own, so that tests share a catalogue without meeting."""
    return f"artist {zlib.crc32(request.node.nodeid.encode())}"


@pytest.fixture
def put(client: httpx.Client, artist: str) -> Callable[..., httpx.Response]:
    """Put a view of the test's own artist."""

    def putting(seed: int, entry: str = "entry", view: str = "main", **kwargs: Any) -> httpx.Response:
        path = f"/api/v1/artists/{artist}/entries/{entry}/views/{view}"
        return client.put(path, content=picture(seed), headers={"content-type": "image/png"}, **kwargs)

    return putting


@pytest.fixture
def pictures() -> Callable[..., bytes]:
    return picture


@pytest.fixture
def in_time() -> Callable[..., Any]:
    return eventually


@pytest.fixture
def web_page(tmp_path: Path) -> Iterator[Callable[[bytes], str]]:
    """Serve bytes over http on the loopback and return their URL."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    stored: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = stored.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()

    def serving(body: bytes) -> str:
        path = f"/{len(stored)}.png"
        stored[path] = body
        return f"http://127.0.0.1:{httpd.server_port}{path}"

    yield serving
    httpd.shutdown()
    httpd.server_close()
