"""`arthur embedder serve`: one process with one engine, kept alive by a supervisor and served by Granian."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvloop

from arthur.config import Settings
from arthur.decode import ImageDecoder, Limits
from arthur.encode import canary, open_engine
from arthur.encode.address import Address, is_remote, parse_addresses
from arthur.encode.folder import find_folder
from arthur.encode.text import TextTower
from arthur.encode.wire import describe
from arthur.errors import ArthurError, ConfigError, EngineError
from arthur.in_force import engine_folders
from arthur.processors import usable_cores
from arthur.web.embedding import Embedding, EmbeddingParts
from arthur.web.granian import GranianServer
from arthur.web.logs import configure_logs
from arthur.web.serve import Crew, Supervisor, reserved
from arthur.web.supervised import Supervised

EMBEDDER = (sys.executable, "-m", "arthur.web.embedder")
_PLACES = 256
_PLACES_PER_PICTURE = 16
_PROBE_S = 0.5
_POLL_S = 0.01
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _KEPT_BYTES = -1, -3, 2**28


def serve_embedder(settings: Settings, *, command: Sequence[str] = EMBEDDER) -> int:
    """Serve the engine until SIGTERM or SIGINT, and return 0 when it has drained.

    Raises:
        ConfigError: the address is wrong or taken, or the process could not start because of a setting.
        EngineError: the engine does not load.
    """
    if is_remote(settings.engine):
        raise ConfigError("an embedding service runs an engine itself; name one with --engine, not another service")
    address = listening_address(settings)
    with _kept(address):
        configure_logs(settings.log_level)
        return Supervisor(settings, Crew(tuple(command), 1, address.url)).run()


def listening_address(settings: Settings) -> Address:
    """Return where the service listens.

    Raises:
        ConfigError: the setting is not one address of the form `http://host:port` or `unix:/path`.
    """
    addresses = parse_addresses(settings.embedder_listen)
    if len(addresses) != 1:
        raise ConfigError("an embedding service listens at one address: http://host:port or unix:/path")
    return addresses[0]


def run(opener: Callable[[Settings, ExitStack], EmbeddingParts]) -> int:
    """Run the serving process until it is told to end; return the exit status."""
    pipes = Supervised()
    _keep_freed_memory()
    with ExitStack() as opened:
        try:
            parts = opener(pipes.settings, opened)
            canary(parts.encoder)
        except ArthurError as error:
            return pipes.tell_failed(error)
        return uvloop.run(_serve(parts, pipes))


def _keep_freed_memory() -> None:
    """Let the C library keep what is freed for the next request, where it can be told so.

    Bodies come and go by the megabyte. Given back to the system each time, they cost as much in page faults as in
    copies: a quarter of the service's processor time.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def open_parts(settings: Settings, opened: ExitStack) -> EmbeddingParts:
    """Load the engine and what else the service needs; `opened` closes it.

    Raises:
        ConfigError: there is no such engine, or a setting of it is wrong.
        EngineError: it does not load.
    """
    folders = engine_folders(settings)
    encoder = open_engine(
        settings.engine, **settings.running, folders=folders, runtime=settings.runtime, device=settings.device
    )
    opened.callback(encoder.close)
    folder = find_folder(settings.engine, folders=folders)
    text = None if folder.facts.text is None else TextTower(folder, threads=settings.engine_threads)
    pool = ThreadPoolExecutor(2 * usable_cores(), "embedding")
    opened.callback(pool.shutdown, cancel_futures=True)
    return EmbeddingParts(
        encoder=encoder,
        text=text,
        decoder=ImageDecoder(Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)),
        description=describe(encoder.spec, batch_max=encoder.batch_max, text=text is not None),
        pool=pool,
        max_image_bytes=settings.max_image_bytes,
    )


async def _serve(parts: EmbeddingParts, pipes: Supervised) -> int:
    """Serve until SIGTERM, or until the supervisor is gone, and drain; return the exit status."""
    settings, loop, told = pipes.settings, asyncio.get_running_loop(), asyncio.Event()
    address = listening_address(settings)
    app = Embedding(parts)
    places = settings.admitted or max(_PLACES, _PLACES_PER_PICTURE * settings.batch_max)
    server = GranianServer(app, address, places=places)
    loop.add_signal_handler(signal.SIGTERM, told.set)
    loop.add_signal_handler(signal.SIGINT, told.set)
    pipes.when_orphaned(lambda: loop.call_soon_threadsafe(told.set))
    serving = asyncio.create_task(server.run())
    while not serving.done() and not _answers(address):
        await asyncio.sleep(_POLL_S)
    if serving.done():
        reason = str(serving.exception()).partition("\n")[0]
        return pipes.tell_failed(EngineError(f"cannot listen on {address.url}: {reason}"))
    pipes.tell_ready()
    stopping = asyncio.create_task(told.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    app.draining = True
    await server.stop(drain_s=settings.drain_s)
    await serving
    return 0


@contextmanager
def _kept(address: Address) -> Iterator[None]:
    """Hold an address that nobody else has, so that a second service cannot slip in beside ours.

    Raises:
        ConfigError: it is taken, or not ours.
    """
    if not address.path:
        with reserved(address.host, address.port, option="--listen"):
            yield
        return
    path = Path(address.path)
    if _answers(address) or (path.exists() and not path.is_socket()):
        raise ConfigError(f"cannot listen on {address.url}: something is there already")
    try:
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(address.path)
        path.unlink()
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {address.url}: {error.strerror or error}; choose another --listen"
        ) from error
    yield


def _answers(address: Address) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.socket(socket.AF_UNIX) if address.path else socket.socket() as probe:
            probe.settimeout(_PROBE_S)
            probe.connect(address.path or (address.host, address.port))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(run(open_parts))
