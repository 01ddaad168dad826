"""One web process: opens Arthur, serves it, and drains when told to or when its supervisor is gone."""

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

import structlog

from arthur.assemble import cores, open_trade, open_worker
from arthur.config import Settings
from arthur.errors import ArthurError, StoreError
from arthur.jobs.working import Worker
from arthur.recognition.attendance import Attendance
from arthur.web.app import App
from arthur.web.auditing import Ledger
from arthur.web.metrics import Metrics
from arthur.web.progress import Board, Rebuild
from arthur.web.rim import open_rim
from arthur.web.robyn import RobynServer
from arthur.web.routes import route_table
from arthur.web.service import Service, installed_version
from arthur.web.supervised import Supervised

if TYPE_CHECKING:
    from arthur.assemble import Arthur

log = structlog.get_logger(__name__)

_PLACES_PER_CORE = 16
_QUIET_S = 0.1
_JOBS_NICE = 5
"""By how much jobs give way to requests."""


def run(opener: Callable[[Settings], Arthur]) -> int:
    """Run a worker until it is told to end; return the exit status if it could not start."""
    pipes = Supervised()
    settings = pipes.settings
    try:
        arthur = opener(settings)
        rim = open_rim(arthur)
        _catch_up(arthur)
    except ArthurError as error:
        return pipes.tell_failed(error)
    fan_out = ThreadPoolExecutor(2 * cores(), "batch")
    attendance = Attendance(arthur.catalog, arthur.recognizer.follow)

    trade = open_trade(arthur)
    jobs = open_worker(arthur, trade, threads=settings.job_threads, nice=_JOBS_NICE)

    def stop() -> None:
        jobs.close(wait_s=0)
        trade.close()
        fan_out.shutdown(wait=False, cancel_futures=True)
        rim.close()
        attendance.close()
        arthur.close()

    rim.follow()
    jobs.start()
    app = App(service_of(arthur, fan_out), route_table(), gate=rim.gate, ledger=Ledger(rim.audit))
    server = RobynServer(app, places=settings.admitted or _PLACES_PER_CORE * cores(), on_stop=stop)
    _drain_when_told(server, jobs, settings.drain_s, pipes)
    threading.Thread(target=_tell_ready, args=(settings.port, pipes), daemon=True).start()
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
        blobs=arthur.blobs,
        fetch=arthur.fetcher,
        fan_out=fan_out,
        metrics=Metrics(arthur.cache.stats),
        rebuild=Rebuild(arthur.recognizer, Board(arthur.catalog)),
        version=installed_version(),
        embedders=lambda: arthur.embedders,
    )


def _drain_when_told(server: RobynServer, jobs: Worker, drain_s: float, pipes: Supervised) -> None:
    """Drain on SIGTERM, and when the supervisor dies."""
    once = threading.Lock()

    def drain() -> None:
        if once.acquire(blocking=False):
            _drain(server, jobs, drain_s)

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=drain, daemon=True).start())
    pipes.when_orphaned(drain)


def _drain(server: RobynServer, jobs: Worker, drain_s: float) -> None:
    """Wait until no request and no job is in work, but no longer than `drain_s`, then end the process.

    Robyn does not end on SIGTERM. On SIGINT it ends at once and drops what is in flight, so that comes last, and only
    after the last answer has left.
    """
    end = time.monotonic() + drain_s
    server.draining = True
    jobs.stop()
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
    jobs.close(wait_s=max(0.0, end - time.monotonic()))
    os.kill(os.getpid(), signal.SIGINT)


def _tell_ready(port: int, pipes: Supervised) -> None:
    """Tell the supervisor once this process itself listens; asking the port would also find other workers."""
    while not any(listener.getsockname()[1] == port for listener in _listeners()):
        time.sleep(0.01)
    pipes.tell_ready()


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
