"""A v1 server as its contract describes it, on a real socket, and replays against pairs of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Rows = list[tuple[str, float]]


@dataclass
class V1:
    """Answers every recognition with `rows` of (entry, score), everything else with its path."""

    rows: Rows
    status: int = 200
    on_first: Callable[[], None] | None = None
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    v1: V1

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.v1.seen.append((self.command, self.path, headers, body))
        if len(self.v1.seen) == 1 and self.v1.on_first is not None:
            self.v1.on_first()
        matches = [{"artistId": "a", "entryId": e, "viewId": "main", "score": f"{s:.4f}"} for e, s in self.v1.rows]
        matched = {"matches": matches, "status": "success", "message": "Matched"}
        told = matched if self.path.startswith("/match") else {"path": self.path, "version": str(id(self.v1))}
        data = json.dumps(told).encode()
        self.send_response(self.v1.status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def v1() -> Iterator[Callable[..., V1]]:
    """Start v1 servers: `v1([("night", 0.9)])`."""
    started: list[ThreadingHTTPServer] = []

    def start(rows: Rows, **options: Any) -> V1:
        server = V1(rows, **options)
        methods = {f"do_{method}": Handler.answer for method in ("GET", "POST", "DELETE")}
        httpd = ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (Handler,), {"v1": server, **methods}))
        httpd.daemon_threads = True
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        server.url = f"http://127.0.0.1:{httpd.server_port}"
        started.append(httpd)
        return server

    yield start
    for httpd in started:
        httpd.shutdown()
        httpd.server_close()
