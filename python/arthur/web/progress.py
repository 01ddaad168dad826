"""How far a rebuild of the index or an import is, told through the catalog to every worker; and the rebuild itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import orjson
import structlog

from arthur.catalog import Catalog
from arthur.errors import ArthurError, Conflict, StoreError
from arthur.recognizer import Progress, Recognizer
from arthur.types import JsonValue

log = structlog.get_logger(__name__)

_INDEX, _IMPORT = "index-progress", "import-progress"
_EVERY_S = 0.2
_STALE_S = 30.0
IDLE: dict[str, JsonValue] = {"state": "idle", "stage": "", "done": 0, "total": 0, "at": 0.0}


@dataclass(frozen=True, slots=True)
class Board:
    """The last word about one job, kept as a note of the catalog. Callable from any thread of any process."""

    catalog: Catalog
    clock: Callable[[], float] = time.time
    note: str = _INDEX

    def read(self) -> dict[str, JsonValue]:
        """Return the state (idle, running, done, failed), the stage and how much of it is done."""
        noted = self.catalog.note(self.note)
        return orjson.loads(noted) if noted else IDLE

    def newest(self) -> dict[str, JsonValue]:
        """Return the later of the last words about the index and about an import."""
        return max(self.read(), replace(self, note=_IMPORT).read(), key=lambda state: float(str(state["at"])))

    def write(self, state: str, progress: Progress) -> None:
        """Tell all workers."""
        members = {"state": state, "stage": progress.stage, "done": progress.done, "total": progress.total}
        self.catalog.put_note(self.note, orjson.dumps({**members, "at": self.clock()}).decode())

    def running(self) -> bool:
        """Whether some worker is rebuilding; one that fell silent counts as dead."""
        state = self.read()
        at = state["at"]
        return state["state"] == "running" and isinstance(at, float) and self.clock() - at < _STALE_S


@contextmanager
def import_told(catalog: Catalog) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that tells every server on the catalogue how much of an import is done, of how much.

    That nobody can be told ends no import.
    """
    board = Board(catalog, note=_IMPORT)
    told, state = _Telling(board), "failed"

    def tell(done: int, total: int) -> None:
        with suppress(StoreError):
            told(Progress("import", done, total))

    try:
        yield tell
        state = "done"
    finally:
        with suppress(StoreError):
            board.write(state, told.last)


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
