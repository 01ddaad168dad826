"""Both clients behind one face, a live server over fakes, and a server that answers by a script, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from arthur.client import AsyncClient, Client, Retry
from tests.web.conftest import Served, start, web_page

__all__ = ["web_page"]  # the fixture

QUICK = Retry(first_wait_s=0.001, longest_wait_s=0.002)


class Blocking:
    """An AsyncClient whose coroutines and async iterators are run to their results."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._client = AsyncClient(*args, **kwargs)
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            made = getattr(self._client, name)(*args, **kwargs)
            return self._rows(made) if hasattr(made, "__anext__") else self._runner.run(made)

        return call

    def _rows(self, rows: Any) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(rows, None)

        try:
            while (row := self._runner.run(following())) is not None:
                yield row
        finally:
            self._runner.run(rows.aclose())

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


@pytest.fixture(params=[Client, Blocking], ids=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Open clients of either kind: `opened(url, **options)`; all are closed in the end."""
    clients: list[Any] = []

    def opening(url: str, **options: Any) -> Any:
        clients.append(request.param(url, **{"retry": QUICK, "deadline_s": 30.0, **options}))
        return clients[-1]

    yield opening
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One worker over fakes, shared by all tests, each of which has artists of its own."""
    server = start(tmp_path_factory.mktemp("served"), fetch_allow=["127.0.0.0/8"])
    yield server
    assert server.stop() == 0
    server.process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture
def client(opened: Callable[..., Any], served: Served) -> Any:
    return opened(served.url)


@pytest.fixture
def artist(request: pytest.FixtureRequest) -> str:
    return f"artist {zlib.crc32(request.node.nodeid.encode())}/ü%2F"


@dataclass(frozen=True)
class Step:
    """One answer. Without a status the connection ends without one; `wait` is waited for before it."""

    status: int | None = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    wait: threading.Event | None = None


@dataclass
class Scripted:
    """A server that answers its requests by `steps`, one after the other, the last one again and again."""

    steps: list[Step] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    peers: set[Any] = field(default_factory=set)
    under_way: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def plays(self, *steps: Step) -> str:
        self.steps = list(steps)
        return self.url

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count what is under way; `most` is how much it was at once."""
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        yield
        with self.lock:
            self.under_way -= 1

    def next(self) -> Step:
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


class Handler(BaseHTTPRequestHandler):
    """Notes each request and answers it by the script of its server."""

    protocol_version = "HTTP/1.1"
    script: Scripted

    def answer(self) -> None:
        with self.script.counted():
            self.reply()

    def reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.script.seen.append((self.command, self.path, headers, body))
        self.script.peers.add(self.client_address)
        step = self.script.next()
        if step.wait is not None:
            step.wait.wait(30)
        if step.status is None:
            self.close_connection = True
            return
        self.send_response(step.status)
        for name, value in {"content-length": str(len(step.body)), **step.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(step.body)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()
    methods = {f"do_{method}": Handler.answer for method in ("GET", "POST", "PUT", "DELETE")}
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), type("Scripting", (Handler,), {"script": script, **methods}))
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
    script.url = f"http://127.0.0.1:{httpd.server_port}"
    yield script
    httpd.shutdown()
    httpd.server_close()
