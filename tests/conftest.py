"""Fixtures that several areas share: pictures drawn on the spot, and a real server in a process of its own."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from bench.artphoto.paintings import painting
from PIL import Image


@dataclass
class Server:
    """A running `arthur serve`; `url` is its base address."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def wait_ready(self, timeout_s: float = 30.0) -> float:
        """Return the seconds until /readyz answered 200."""
        started = time.monotonic()
        while time.monotonic() - started < timeout_s:
            if self.process.poll() is not None:
                pytest.fail(f"the server ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return time.monotonic() - started
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        pytest.fail(f"the server was not ready within {timeout_s} s:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """kill -9 the supervisor and all its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask the server to end and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers on free ports: `serve(data, workers=1)`; all are killed at the end of the test."""
    running: list[Server] = []

    def start(data: Path, *, workers: int = 1, **settings: object) -> Server:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = tmp_path / f"server-{len(running)}.log"
        environment = os.environ | {f"ARTHUR_{name.upper()}": str(value) for name, value in settings.items()}
        command = [sys.executable, "-m", "arthur", "serve", "--data", str(data), "--port", str(port)]
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        server = Server(process, f"http://127.0.0.1:{port}", log)
        running.append(server)
        server.wait_ready()
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            server.kill()


def jpeg(pixels: np.ndarray, quality: int = 90) -> bytes:
    """Encode `(h, w, 3)` uint8 RGB."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture(scope="session")
def artworks() -> list[bytes]:
    """Forty different paintings as JPEG."""
    return [jpeg(painting(artist, work, 0, size=320)) for artist in range(10) for work in range(4)]
