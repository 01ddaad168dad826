"""How imports are done by workers: each job with the reader of its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from types import TracebackType
from typing import Self

from arthur.catalog import Catalog
from arthur.jobs.importing import GroupImport, Import
from arthur.jobs.items import Found
from arthur.jobs.reading import Reader
from arthur.jobs.specs import Reach, SourceSpec
from arthur.jobs.working import Stopped
from arthur.recognizer import Recognizer
from arthur.types import Job, Task

__all__ = ["ImportTrade", "Intake"]

_READERS = 64
_OPEN = 8


@dataclass(frozen=True, slots=True)
class Intake:
    """Whence pictures come.

    Attributes:
        web: returns the bytes at a URL, when it is its host's turn; raises an ArthurError.
        max_bytes: a larger picture is not read.
    """

    reach: Reach
    web: Callable[[str], bytes]
    max_bytes: int


class ImportTrade:
    """See Trade. A context manager that ends its threads."""

    def __init__(self, recognizer: Recognizer, catalog: Catalog, intake: Intake) -> None:
        self._intake = intake
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="read")
        self._importing = partial(Import, recognizer, catalog, readers=self._pool)
        # connections are worth keeping; a path is looked at each time, since its disk may be unmounted
        self._kept = lru_cache(maxsize=_OPEN)(self._opened)

    def open(self, job: Job) -> Iterator[Found]:
        """See Trade.open."""
        spec, reach = SourceSpec.unpacked(job.spec), self._intake.reach
        if spec.path:
            reach.present(spec)
        return reach.open(spec, after=job.cursor)

    def work(self, task: Task, stopped: Stopped) -> GroupImport:
        """See Trade.work."""
        spec = SourceSpec.unpacked(task.job.spec)
        return (self._kept if spec.prefix else self._opened)(spec)(task, stopped)

    def close(self) -> None:
        """End the threads. Closing twice is allowed."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _opened(self, spec: SourceSpec) -> Import:
        intake = self._intake
        return self._importing(read=Reader.of(spec, intake.reach, intake.web, intake.max_bytes))
