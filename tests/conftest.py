"""Fixtures that several areas share: pictures, a tiny engine, and a real server in its own process."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import onnx
import psutil
import pytest
from hypothesis import settings
from PIL import Image

from arthur.encode.export.graph import Graph, pixels_input
from arthur.encode.folder import open_folder, sha256_of
from arthur.encode.golden import Golden, save_golden
from arthur.encode.onnx import OnnxEncoder
from bench.artphoto.paintings import painting
from tests.ports import free_port

pytest_plugins = ["tests.service_fixtures"]

# a busy machine may take a second over what usually takes a millisecond
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SIDE, DIM = 16, 8
FACTS = """
name = "{name}"
architecture = "matrix"
licence = "Apache-2.0"
side = 16
fit = "stretch"
dim = 8
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
[image]
file = "image.onnx"
sha256 = "{sha256}"
"""


@dataclass
class Server:
    """A running `arthur serve`; `url` is its base address."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def wait_ready(self, timeout_s: float = 90.0) -> float:
        """Return the seconds until /readyz answered 200."""
        started = time.monotonic()
        # without verify=False httpx reads certificates for each client, which takes 28 ms of a core
        with httpx.Client(timeout=2, verify=False) as client:
            while time.monotonic() - started < timeout_s:
                if self.process.poll() is not None:
                    pytest.fail(f"the server ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
                with suppress(httpx.TransportError):
                    if client.get(f"{self.url}/readyz").status_code == 200:
                        return time.monotonic() - started
                time.sleep(0.02)
        pytest.fail(f"the server was not ready within {timeout_s} s:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """kill -9 the supervisor and all its workers."""
        workers = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask the server to end and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextmanager
def servers(logs: Path) -> Iterator[Callable[..., Server]]:
    """Yield a function that starts servers, `start(data, workers=1)`, on free ports or `port`; kill all in the end."""
    running: list[Server] = []

    def start(data: Path, *, workers: int = 1, port: int = 0, ready_s: float = 90.0, **settings: object) -> Server:
        port = port or free_port()
        log = logs / f"server-{len(running)}.log"
        environment = os.environ | {f"ARTHUR_{name.upper()}": str(value) for name, value in settings.items()}
        command = [sys.executable, "-m", "arthur", "serve", "--data", str(data), "--port", str(port)]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, "--workers", str(workers)], stdout=out, stderr=subprocess.STDOUT, env=environment
            )
        server = Server(process, f"http://127.0.0.1:{port}", log)
        running.append(server)
        server.wait_ready(ready_s)
        return server

    try:
        yield start
    finally:
        for server in running:
            if server.process.poll() is None:
                server.kill()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers on free ports: `serve(data, workers=1)`; all are killed at the end of the test."""
    with servers(tmp_path) as start:
        yield start


def jpeg(pixels: np.ndarray, quality: int = 90) -> bytes:
    """Encode `(h, w, 3)` uint8 RGB."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture(scope="session")
def artworks() -> list[bytes]:
    """Forty different paintings as JPEG."""
    return [jpeg(painting(artist, work, 0, size=320)) for artist in range(10) for work in range(4)]


def tiny_graph(*, seed: int = 0) -> onnx.ModelProto:
    """Unit rows of a random projection of the pixels."""
    graph = Graph("tiny")
    values = graph.node("Cast", "pixels", to=onnx.TensorProto.FLOAT)
    matrix = np.random.default_rng(seed).standard_normal((SIDE * SIDE * 3, DIM), dtype=np.float32)
    vectors = graph.unit(graph.linear(graph.reshape(values, [0, SIDE * SIDE * 3]), matrix))
    return graph.model(pixels_input(SIDE), vectors, dim=DIM)


def written_engine(folder: Path, *, name: str = "", graph: onnx.ModelProto | None = None, extra: str = "") -> Path:
    """Write an engine folder. It is called like the folder unless it has a `name`; `extra` is more TOML."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph or tiny_graph(), folder / "image.onnx")
    sha256 = sha256_of(folder / "image.onnx")
    (folder / "engine.toml").write_text(FACTS.format(name=name or folder.name, sha256=sha256) + extra)
    return folder


@pytest.fixture
def write_engine(tmp_path: Path) -> Callable[..., Path]:
    """Write an engine folder: `write_engine(name="tiny", graph=None, extra="")`."""

    def write(name: str = "tiny", **given: object) -> Path:
        return written_engine(tmp_path / "engines" / name.replace("-", "_"), name=name, **given)

    return write


@pytest.fixture
def tiny_engine(write_engine: Callable[..., Path]) -> Path:
    """A sound engine folder with golden vectors."""
    folder = write_engine()
    pixels = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    encoder = OnnxEncoder(open_folder(folder), threads=1)
    save_golden(folder / "golden.npz", Golden(pixels, encoder.encode(pixels)))
    return write_engine(extra='[golden]\nfile = "golden.npz"\n')
