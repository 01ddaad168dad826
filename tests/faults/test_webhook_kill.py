"""kill -9 between a write and its delivery: the receiver hears of every acknowledged write."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

# a killed server may hold a lease for a minute
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def receiver() -> Iterator[Any]:
    """A receiver that fails every third message; `receiver.events` are those of the others."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            server.calls += 1
            failing = server.calls % 3 == 1
            if not failing:
                server.events.extend(orjson.loads(body)["events"])
            self.send_response(500 if failing else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.calls, server.events = 0, []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_every_acknowledged_write_is_told(
    serve: Callable[..., Any], receiver: Any, tmp_path: Path, artworks: list[bytes]
) -> None:
    hook = [sys.executable, "-m", "arthur", "webhooks", "put", f"http://127.0.0.1:{receiver.server_port}/"]
    subprocess.run([*hook, "--data", str(tmp_path / "data")], check=True, capture_output=True)
    acknowledged = set()
    for turn in range(2):
        server = serve(tmp_path / "data", fetch_allow='["127.0.0.0/8"]')
        for number in range(turn * 4, turn * 4 + 4):
            files = {"imgFile": ("p.jpg", artworks[number])}
            assert (
                httpx.post(f"{server.url}/artist/image/a/{number}/v", files=files, timeout=60, verify=False).status_code
                == 200
            )
            acknowledged.add(str(number))
        server.kill()
    serve(tmp_path / "data", fetch_allow='["127.0.0.0/8"]')
    end = time.monotonic() + 200
    while not acknowledged <= {event["entry_id"] for event in receiver.events} and time.monotonic() < end:
        time.sleep(0.1)

    assert {event["entry_id"] for event in receiver.events} == acknowledged
