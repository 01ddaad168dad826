"""An embedding service inside the test process: the real one, served by Granian on a Unix socket, in a thread."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from arthur.decode import ImageDecoder
from arthur.encode.address import Address, parse_addresses
from arthur.encode.batch import Batched
from arthur.encode.spec import EngineSpec
from arthur.encode.text import TextEncoder
from arthur.encode.wire import describe
from arthur.errors import EngineError
from arthur.web.embedding import Embedding, EmbeddingParts
from arthur.web.granian import GranianServer

WAIT_S = 30.0


@dataclass
class Service:
    """A running service. `stop` drains it from any thread."""

    url: str
    path: Path
    app: Embedding
    server: GranianServer
    loop: asyncio.AbstractEventLoop
    encoder: Batched

    def client(self) -> httpx.Client:
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.path)), base_url="http://embedder", timeout=WAIT_S
        )

    def stop(self, *, drain_s: float = WAIT_S) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(drain_s), self.loop).result(WAIT_S + drain_s)

    async def _stop(self, drain_s: float) -> None:
        self.app.draining = True
        await self.server.stop(drain_s=drain_s)


@contextmanager
def serving(
    encoder: Batched,
    *,
    text: TextEncoder | None = None,
    places: int = 64,
    bytes_max: int = 2**20,
    max_image_bytes: int = 2**20,
    url: str = "",
) -> Iterator[Service]:
    """Serve `encoder`, which stays the caller's, at `url` or at a Unix socket, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="emb") as folder, ThreadPoolExecutor(4) as pool:
        path = Path(folder) / "s"
        description = describe(encoder.spec, batch_max=encoder.batch_max, text=text is not None)
        parts = EmbeddingParts(encoder, text, ImageDecoder(), description, pool, max_image_bytes)
        started: list[Service] = []

        async def run() -> None:
            app = Embedding(parts)
            address = parse_addresses(url or f"unix:{path}")[0]
            server = GranianServer(app, address, places=places, bytes_max=bytes_max)
            started.append(Service(address.url, path, app, server, asyncio.get_running_loop(), encoder))
            await server.run()

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        wait_until(lambda: bool(started) and _accepts(parse_addresses(started[0].url)[0]))
        yield started[0]
        if thread.is_alive():
            started[0].stop(drain_s=0.1)
        thread.join(WAIT_S)


def _accepts(address: Address) -> bool:
    """Whether somebody listens: a socket's path is there a moment before."""
    with socket.socket(socket.AF_UNIX) if address.path else socket.socket() as probe:
        return probe.connect_ex(address.path or (address.host, address.port)) == 0


class Engine:
    """A fake engine: vectors are the colour of the pixel (1, 1); red 255 makes it fail.

    Runs wait while `open` is cleared; `entered` counts those that began.
    """

    def __init__(self, *, side: int = 4) -> None:
        self.spec = EngineSpec("fake", side, "stretch", 3, "ab" * 32)
        self.batches: list[list[int]] = []
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.broken = False
        self.open.set()

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        reds = [int(red) for red in pixels[:, 1, 1, 0]]
        self.entered.release()
        assert self.open.wait(WAIT_S)
        self.batches.append(reds)
        if 255 in reds or self.broken:
            raise EngineError("the fake engine failed")
        return pixels[:, 1, 1].astype(np.float32)

    def close(self) -> None:
        self.open.set()


def reds(*values: int) -> np.ndarray:
    """Return `(n, 4, 4, 3)` pixels of these shades of red."""
    pixels = np.zeros((len(values), 4, 4, 3), np.uint8)
    pixels[..., 0] = np.array(values)[:, None, None]
    return pixels


def wait_until(true: Callable[[], bool]) -> None:
    """Return as soon as it is true; fail when it takes half a minute."""
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.002)
