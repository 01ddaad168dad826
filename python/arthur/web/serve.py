"""The supervisor: starts web processes that share the port, starts anew those that die, and drains them all."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog
from prometheus_client.multiprocess import mark_process_dead

from arthur.config import Settings, packed_settings
from arthur.errors import ConfigError, EngineError
from arthur.processors import usable_cores
from arthur.web.logs import configure_logs
from arthur.web.metrics import FOLDER_VARIABLE

log = structlog.get_logger(__name__)

WORKER = (sys.executable, "-m", "arthur.web.worker")
_STEADY_S = 5.0
_LONGEST_WAIT_S = 5.0
_GRACE_S = 2.0
_STARTS = 3


@dataclass(slots=True)
class Worker:
    """A process, or the wish for one at `due`. `early_deaths` counts those that hardly lived."""

    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due: float = 0.0
    early_deaths: int = 0
    ready: bool = False


@dataclass(frozen=True, slots=True)
class Crew:
    """What a supervisor keeps alive.

    Attributes:
        command: of a worker.
        count: of workers.
        address: where they listen, as people are told.
        metrics: folder in which they add up their numbers; None when there is but one.
    """

    command: tuple[str, ...]
    count: int
    address: str
    metrics: Path | None = None


def serve(settings: Settings, *, command: Sequence[str] = WORKER) -> int:
    """Serve until SIGTERM or SIGINT, and return 0 when all workers have drained.

    Raises:
        ConfigError: the port is taken, or a worker could not start because of a setting.
        EngineError: no worker could start, for another reason.
    """
    configure_logs(settings.log_level)
    metrics = settings.data.resolve() / "run" / f"metrics-{settings.port}"
    address = http_address(settings.host, settings.port, tls=tls_wanted(settings))
    crew = Crew(tuple(command), settings.workers or default_workers(), address, metrics)
    with reserved(settings.host, settings.port):
        return Supervisor(settings, crew).run()


def http_address(host: str, port: int, *, tls: bool = False) -> str:
    """Return an address as one writes it in a URL."""
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def tls_wanted(settings: Settings) -> bool:
    """Return whether the server is to speak TLS.

    Raises:
        ConfigError: the server cannot, or certificate and key are none or do not belong together.
    """
    if settings.tls_cert is None and settings.tls_key is None:
        return False
    if settings.tls_cert is None or settings.tls_key is None:
        raise ConfigError("TLS needs both settings, 'tls_cert' and 'tls_key'")
    if settings.server != "granian":
        raise ConfigError("TLS needs --server granian, or a proxy that speaks it")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, ValueError) as error:
        raise ConfigError(f"the TLS certificate or its key cannot be used: {error}") from error
    return True


class Supervisor:
    """Keeps the wanted number of workers alive. Belongs to the main thread."""

    def __init__(self, settings: Settings, crew: Crew) -> None:
        self._settings = settings
        self._crew = crew
        self._workers = [Worker() for _ in range(crew.count)]
        self._selector = selectors.DefaultSelector()
        self._announced = False
        self._stopping = False

    def run(self) -> int:
        """Run until a signal; see serve."""
        if self._crew.metrics is not None:
            _fresh(self._crew.metrics)
        awake, woken = socket.socketpair()
        with awake, woken:
            self._listen_for_signals(awake, woken)
            try:
                while not self._stopping:
                    self._start_due()
                    self._watch(self._until_next())
            finally:
                self._stop_all()
                signal.set_wakeup_fd(-1)
                if self._crew.metrics is not None:
                    shutil.rmtree(self._crew.metrics, ignore_errors=True)
        return 0

    def _listen_for_signals(self, awake: socket.socket, woken: socket.socket) -> None:
        woken.setblocking(False)
        signal.set_wakeup_fd(woken.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._selector.register(awake, selectors.EVENT_READ)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _start_due(self) -> None:
        for worker in self._workers:
            if worker.process is None and worker.due <= time.monotonic():
                self._start(worker)

    def _start(self, worker: Worker) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ROBYN_")}
        environment["MALLOC_ARENA_MAX"] = "2"
        if self._crew.metrics is not None:
            environment[FOLDER_VARIABLE] = str(self._crew.metrics)
        # its own process group: Ctrl-C in a terminal reaches the supervisor alone, which then drains the workers
        process = subprocess.Popen(  # noqa: S603  # our own command
            self._crew.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, process_group=0
        )
        worker.process, worker.started_at, worker.ready = process, time.monotonic(), False
        if process.stdin is None or process.stdout is None:
            raise EngineError("a worker started without its pipes")
        try:
            process.stdin.write(packed_settings(self._settings).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            log.error("worker_died_starting", pid=process.pid)  # noqa: TRY400  # _watch sees it dead
        self._selector.register(process.stdout, selectors.EVENT_READ, worker)

    def _watch(self, timeout_s: float | None) -> None:
        """Wait for a worker to say something or to die, for a signal, or until `timeout_s` has passed."""
        for key, _ in self._selector.select(timeout_s):
            if isinstance(key.data, Worker):
                line = key.fileobj.readline()  # type: ignore[union-attr]  # registered by us: a pipe
                self._heard(key.data, line) if line else self._ended(key.data)

    def _until_next(self) -> float | None:
        due = [worker.due for worker in self._workers if worker.process is None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _heard(self, worker: Worker, line: bytes) -> None:
        word = orjson.loads(line)
        if "failed" in word and not self._announced:
            raise (ConfigError if word["config"] else EngineError)(word["failed"])
        if "failed" in word:
            log.error("worker_failed", error=word["failed"])
            return
        worker.ready = True
        if not self._announced and all(one.ready for one in self._workers):
            self._announced = True
            sys.stdout.write(f"listening on {self._crew.address}\n")
            sys.stdout.flush()

    def _ended(self, worker: Worker) -> None:
        """Note a death. The next one starts at once; those that die young wait longer and longer."""
        process = worker.process
        if process is None:
            return
        status = self._bury(worker, process)
        lived = time.monotonic() - worker.started_at
        if not self._announced and worker.early_deaths == _STARTS:
            raise EngineError("the workers die while they start; the log says why")
        worker.early_deaths = worker.early_deaths + 1 if lived < _STEADY_S or not worker.ready else 0
        wait_s = min(_LONGEST_WAIT_S, 0.1 * 2**worker.early_deaths) if worker.early_deaths > 1 else 0.0
        worker.due = time.monotonic() + wait_s
        log.error("worker_died", pid=process.pid, status=status, lived_s=round(lived, 1), wait_s=wait_s)

    def _bury(self, worker: Worker, process: subprocess.Popen[bytes]) -> int:
        if process.stdout is not None:
            self._selector.unregister(process.stdout)
            process.stdout.close()
        if process.stdin is not None:
            process.stdin.close()
        worker.process = None
        status = process.wait()
        if self._crew.metrics is not None:
            mark_process_dead(process.pid, str(self._crew.metrics))  # type: ignore[no-untyped-call]  # the library's own gap
        return status

    def _stop_all(self) -> None:
        """Drain all workers; those that do not end in time are killed."""
        running = [(worker, worker.process) for worker in self._workers if worker.process is not None]
        for _, process in running:
            process.terminate()
        end = time.monotonic() + self._settings.drain_s + _GRACE_S
        for worker, process in running:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("worker_killed", pid=process.pid)  # noqa: TRY400  # one line says it
                process.kill()
            self._bury(worker, process)


def default_workers() -> int:
    """Return how many workers there are where nobody says."""
    return min(2, usable_cores())


@contextmanager
def reserved(host: str, port: int, *, option: str = "--port") -> Iterator[None]:
    """Hold a port that nobody else holds, without listening, so that a second server cannot slip in beside ours.

    Raises:
        ConfigError: the port is taken, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as held:
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
                probe.listen(1)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind((host, port))
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; choose another {option}") from error
        yield


def _fresh(folder: Path) -> None:
    """Make an empty folder. Raises ConfigError when the data folder cannot be written."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(f"the data folder cannot be used: {error.strerror or error}") from error
