"""One web process: opens Arthur, serves it, and drains when told to or when its supervisor is gone.

The supervisor writes the settings as one line to standard input and then keeps that pipe open; its end is the
supervisor's death. On standard output the worker says `ready`, or why it could not start.
"""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import structlog

from arthur.config import Settings, unpacked_settings
from arthur.errors import ArthurError, ConfigError, EngineMismatch, StoreError, UnusableEngine
from arthur.web.app import App
from arthur.web.logs import configure_logs
from arthur.web.metrics import Metrics
from arthur.web.progress import Board, Rebuild
from arthur.web.robyn import RobynServer
from arthur.web.routes import route_table
from arthur.web.service import Service, installed_version

if TYPE_CHECKING:
    from arthur.assemble import Arthur

log = structlog.get_logger(__name__)

_PLACES_PER_CORE = 16
_QUIET_S = 0.1


def run(opener: Callable[[Settings], Arthur]) -> int:
    """Run a worker until it is told to end; return the exit status if it could not start."""
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no word to the supervisor
    settings = unpacked_settings(sys.stdin.readline())
    configure_logs(settings.log_level)
    try:
        arthur = opener(settings)
        _catch_up(arthur)
    except ArthurError as error:
        wrong = isinstance(error, ConfigError | EngineMismatch | UnusableEngine)
        told.write(orjson.dumps({"failed": str(error), "config": wrong}) + b"\n")
        return 2 if wrong else 1
    fan_out = ThreadPoolExecutor(2 * cores(), "batch")

    def stop() -> None:
        fan_out.shutdown(wait=False, cancel_futures=True)
        arthur.close()

    app = App(service_of(arthur, fan_out), route_table())
    server = RobynServer(app, places=settings.admitted or _PLACES_PER_CORE * cores(), on_stop=stop)
    _drain_when_told(server, settings.drain_s)
    threading.Thread(target=_tell_ready, args=(settings.port, told.write), daemon=True).start()
    server.run(settings.host, settings.port)
    return 0


def _catch_up(arthur: Arthur) -> None:
    """Replay what the index lacks before the first request, so that no request waits for it.

    Raises:
        EngineError: the engine does not embed.
    """
    try:
        arthur.recognizer.ready()
    except StoreError as error:
        log.warning("not_caught_up", error=str(error))  # the catalog can answer without its index


def service_of(arthur: Arthur, fan_out: ThreadPoolExecutor) -> Service:
    """Return what handlers need of an opened Arthur."""
    return Service(
        settings=arthur.settings,
        recognizer=arthur.recognizer,
        catalog=arthur.catalog,
        index=arthur.index,
        blobs=arthur.blobs,
        fetch=arthur.fetcher,
        fan_out=fan_out,
        metrics=Metrics(),
        rebuild=Rebuild(arthur.recognizer, Board(arthur.catalog)),
        version=installed_version(),
    )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def _drain_when_told(server: RobynServer, drain_s: float) -> None:
    """Drain on SIGTERM, and when standard input ends because the supervisor died."""
    once = threading.Lock()

    def drain() -> None:
        if once.acquire(blocking=False):
            _drain(server, drain_s)

    def orphaned() -> None:
        while sys.stdin.read(1):
            continue
        drain()

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=drain, daemon=True).start())
    threading.Thread(target=orphaned, daemon=True).start()


def _drain(server: RobynServer, drain_s: float) -> None:
    """Wait until no request is in flight, but no longer than `drain_s`, then end the process.

    Robyn does not end on SIGTERM. On SIGINT it ends at once and drops what is in flight, so that comes last, and only
    after the last answer has left.
    """
    end = time.monotonic() + drain_s
    server.draining = True
    answered = server.answered
    listeners = _listeners()
    ports = {listener.getsockname()[1] for listener in listeners}
    open_before = len(_connections(ports))
    for listener in listeners:
        with suppress(OSError):  # Robyn holds the same socket twice, and the second no longer listens
            listener.shutdown(socket.SHUT_RD)  # new connections go to other workers, or are refused
    quiet_since = time.monotonic()
    while time.monotonic() < end and time.monotonic() - quiet_since < _QUIET_S:
        time.sleep(0.01)
        # a connection is closed behind its answer, so one that should be closed still has an answer to send
        leaving = len(_connections(ports)) > open_before - (server.answered - answered)
        if server.in_flight or leaving:
            quiet_since = time.monotonic()
    if server.in_flight:
        log.warning("drain_ended_early", in_flight=server.in_flight, drain_s=drain_s)
    os.kill(os.getpid(), signal.SIGINT)


def _tell_ready(port: int, tell: Callable[[bytes], object]) -> None:
    """Tell the supervisor once this process itself listens; asking the port would also find other workers."""
    while not any(listener.getsockname()[1] == port for listener in _listeners()):
        time.sleep(0.01)
    tell(b'{"ready": true}\n')


def _listeners() -> list[socket.socket]:
    """Return this process' listening sockets, as copies that may be closed."""
    listening = []
    for one in _sockets():
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listening.append(one)
        else:
            one.close()
    return listening


def _connections(ports: set[int]) -> set[object]:
    """Return the other ends of this process' connections to these ports of its own."""
    found: set[object] = set()
    for one in _sockets():
        with one, suppress(OSError):  # it has no other end
            if one.family in (socket.AF_INET, socket.AF_INET6) and one.getsockname()[1] in ports:
                found.add(one.getpeername())
    return found


def _sockets() -> list[socket.socket]:
    """Return this process' sockets, as copies that may be closed."""
    copies = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if stat.S_ISSOCK(entry.stat().st_mode):
                copies.append(socket.socket(fileno=os.dup(int(entry.name))))
    return copies


if __name__ == "__main__":
    from arthur.assemble import open_arthur

    sys.exit(run(open_arthur))
