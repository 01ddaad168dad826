"""One web process: opens Arthur, serves it, and drains when told to or when its supervisor is gone."""

from __future__ import annotations

import math
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import structlog

from arthur.config import Settings
from arthur.encode.address import is_remote
from arthur.errors import ArthurError, StoreError
from arthur.jobs.working import Worker
from arthur.processors import usable_cores
from arthur.recognition.attendance import Attendance
from arthur.recognition.lookout import Lookout
from arthur.release import installed_version
from arthur.trades import open_trade, open_worker
from arthur.web.app import App
from arthur.web.auditing import Ledger
from arthur.web.metrics import Metrics
from arthur.web.progress import Board, Rebuild
from arthur.web.recording import Recorder
from arthur.web.rim import open_rim
from arthur.web.routes import route_table
from arthur.web.serve import default_workers
from arthur.web.service import Service
from arthur.web.sockets import listeners
from arthur.web.standing import Standing
from arthur.web.supervised import Supervised
from arthur.web.turns import Turns

if TYPE_CHECKING:
    from arthur.assemble import Arthur

log = structlog.get_logger(__name__)

_PLACES_PER_CORE = 16
_WAITING_PER_TURN = 24
_ELSEWHERE = 4
_JOBS_NICE = 5
"""By how much jobs give way to requests."""


class Server(Protocol):
    """One process' server of an App."""

    def run(self, host: str, port: int) -> None:
        """Serve until drained. Belongs to the main thread."""
        ...

    def drain(self, drain_s: float) -> None:
        """Take no new connections, wait at most `drain_s` until every request has its answer, and end the process.

        Called once, from any thread but the main one.
        """
        ...


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
    fan_out = ThreadPoolExecutor(2 * usable_cores(), "batch")
    service = service_of(arthur, fan_out)

    def follow() -> None:
        arthur.recognizer.follow()
        service.metrics.feel()

    lookout = Lookout(arthur.catalog.signs, arthur.recognizer.prepare, who=_name())
    attendance = Attendance(arthur.catalog, follow, lookout.look)
    trade = open_trade(arthur)
    jobs = open_worker(arthur, trade, threads=settings.job_threads, nice=_JOBS_NICE)

    def stop() -> None:
        jobs.close(wait_s=settings.drain_s)  # since draining began it has taken nothing more
        trade.close()
        fan_out.shutdown(wait=False, cancel_futures=True)
        rim.close()
        service.recorder.close()
        attendance.close()
        arthur.close()

    rim.follow()
    service.recorder.follow()
    jobs.start()
    app = App(service, route_table(), gate=rim.gate, ledger=Ledger(rim.audit))
    server = _open_server(app, places=settings.admitted or _PLACES_PER_CORE * usable_cores(), on_stop=stop)
    _drain_when_told(server, jobs, settings.drain_s, pipes)
    threading.Thread(target=_tell_ready, args=(settings.port, pipes), daemon=True).start()
    server.run(settings.host, settings.port)
    return 0


def _open_server(app: App, *, places: int, on_stop: Callable[[], None]) -> Server:
    """Return the server that the settings name. Imported here: each costs the start of a process that needs it not."""
    if app.service.settings.server == "granian":
        from arthur.web.direct import GranianWebServer

        return GranianWebServer(app, places=places, on_stop=on_stop)
    from arthur.web.robyn import RobynServer

    return RobynServer(app, places=places, on_stop=on_stop)


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
    standing = Standing(installed_version(), arthur.recognizer.status, lambda: arthur.embedders)
    metrics = Metrics(arthur.cache.stats, arthur.recognizer.pulse, standing)
    return Service(
        settings=arthur.settings,
        recognizer=arthur.recognizer,
        catalog=arthur.catalog,
        blobs=arthur.blobs,
        fetch=arthur.fetcher,
        fan_out=fan_out,
        metrics=metrics,
        rebuild=Rebuild(arthur.recognizer, Board(arthur.catalog)),
        recorder=Recorder(arthur.catalog.match_log, days=arthur.settings.match_log_days, dropped=metrics.unlogged),
        version=installed_version(),
        embedders=lambda: arthur.embedders,
        turns=_turns(arthur.settings),
        tracing=arthur.tracing,
        reports=arthur.reports,
    )


def _turns(settings: Settings) -> Turns:
    """Return the turns of one worker: its share of the cores, and more where something else than a core embeds."""
    elsewhere = is_remote(settings.engine) or settings.device.startswith("cuda")
    share = math.ceil(usable_cores() / (settings.workers or default_workers()))
    running = settings.turns or share * (_ELSEWHERE if elsewhere else 1)
    return Turns(running, waiting=settings.queued or _WAITING_PER_TURN * running)


def _name() -> str:
    """Return what tells this process from all others on the catalogue, for a person as well."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _drain_when_told(server: Server, jobs: Worker, drain_s: float, pipes: Supervised) -> None:
    """Drain on SIGTERM, and when the supervisor dies."""
    once = threading.Lock()

    def drain() -> None:
        if once.acquire(blocking=False):
            jobs.stop()
            server.drain(drain_s)

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=drain, daemon=True).start())
    pipes.when_orphaned(drain)


def _tell_ready(port: int, pipes: Supervised) -> None:
    """Tell the supervisor once this process itself listens; asking the port would also find other workers."""
    while not any(listener.getsockname()[1] == port for listener in listeners()):
        time.sleep(0.01)
    pipes.tell_ready()


if __name__ == "__main__":
    from arthur.assemble import open_arthur

    sys.exit(run(open_arthur))
