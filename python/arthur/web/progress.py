"""How far a rebuild of the index or a job is, told through the catalog to every worker; and the rebuild itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import structlog

from arthur.catalog import Catalog
from arthur.errors import ArthurError, Conflict
from arthur.jobs.showing import job_members
from arthur.recognizer import Progress, Recognizer
from arthur.types import Job, JsonValue

log = structlog.get_logger(__name__)

_INDEX = "index-progress"
_EVERY_S = 0.2
_STALE_S = 30.0
IDLE: dict[str, JsonValue] = {"state": "idle", "stage": "", "done": 0, "total": 0, "at": 0.0}


@dataclass(frozen=True, slots=True)
class Board:
    """The last word about a rebuild, kept as a note of the catalog. Callable from any thread of any process."""

    catalog: Catalog
    clock: Callable[[], float] = time.time

    def read(self) -> dict[str, JsonValue]:
        """Return the state (idle, running, done, failed), the stage and how much of it is done."""
        noted = self.catalog.note(_INDEX)
        return orjson.loads(noted) if noted else IDLE

    def newest(self) -> dict[str, JsonValue]:
        """Return the later of the last words about a rebuild and about a job."""
        told, job = self.read(), self.catalog.jobs.latest()
        if job is None or job.updated_us / 1e6 < float(str(told["at"])):
            return told
        return job_progress(job)

    def write(self, state: str, progress: Progress) -> None:
        """Tell all workers."""
        members = {"state": state, "stage": progress.stage, "done": progress.done, "total": progress.total}
        self.catalog.put_note(_INDEX, orjson.dumps({**members, "at": self.clock()}).decode())

    def running(self) -> bool:
        """Whether some worker is rebuilding; one that fell silent counts as dead."""
        state = self.read()
        at = state["at"]
        return state["state"] == "running" and isinstance(at, float) and self.clock() - at < _STALE_S


def job_progress(job: Job) -> dict[str, JsonValue]:
    """Return how far a job is in the words for a rebuild, and in its own; one that rests or was cancelled is done."""
    states = {"queued": "running", "running": "running", "failed": "failed"}
    return {
        "state": states.get(job.state, "done"),
        "stage": job.kind,
        "done": job.done,
        "total": job.total,
        "at": job.updated_us / 1e6,
        # as of its last change, so that what is told changes only then
        "job": job_members(job, job.updated_us),
    }


class Rebuild:
    """Makes the index equal to the catalog, once at a time in this process. Callable from any thread."""

    def __init__(self, recognizer: Recognizer, board: Board) -> None:
        self._recognizer = recognizer
        self.board = board
        self._busy = threading.Lock()

    def run(self) -> int:
        """Rebuild and return the number of views indexed; waits for a rebuild that is under way in this process."""
        with self._busy:
            return self._run()

    def start(self) -> None:
        """Rebuild in the background.

        Raises:
            Conflict: a rebuild is under way.
        """
        if self.board.running() or not self._busy.acquire(blocking=False):
            raise Conflict("the index is being rebuilt already")
        threading.Thread(target=self._background, name="rebuild", daemon=True).start()

    def _background(self) -> None:
        try:
            self._run()
        except ArthurError as error:
            log.error("rebuild_failed", error=str(error))  # noqa: TRY400  # one line says it
        finally:
            self._busy.release()

    def _run(self) -> int:
        told = _Telling(self.board)
        told(Progress("start", 0, 0))
        try:
            views = self._recognizer.reindex(told)
        except ArthurError:
            self.board.write("failed", told.last)
            raise
        self.board.write("done", Progress("done", views, views))
        return views


class _Telling:
    """Writes progress to the board, at most a few times a second: each word is a transaction."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._told_at = -_EVERY_S
        self.last = Progress("start", 0, 0)

    def __call__(self, progress: Progress) -> None:
        self.last = progress
        now = time.monotonic()
        if now - self._told_at >= _EVERY_S:
            self._told_at = now
            self._board.write("running", progress)
