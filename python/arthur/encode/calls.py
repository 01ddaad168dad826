"""What waits in the queue of an engine, and what is known of those that went through it."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field

from arthur.types import Pixels, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Pictures that one caller wants embedded.

    Attributes:
        since: when it came.
        deadline: when its caller no longer waits; None never. Both as `time.monotonic()` counts.
    """

    pixels: Pixels
    since: float
    deadline: float | None
    vectors: Future[Vectors] = field(default_factory=Future)

    def begin(self) -> bool:
        """Return whether the caller still waits; from here on its future cannot be cancelled."""
        return self.vectors.set_running_or_notify_cancel()


@dataclass(slots=True)
class BatchStats:
    """What a queue has done since it began.

    Attributes:
        runs, pictures: batches that ran, and the pictures in them; a lone call is a batch of its own.
        failed: runs that failed; a batch that is halved counts once for each try.
        late: calls whose deadline passed before they ran.
        left: calls whose caller was gone before they ran.
        queued: pictures waiting now.
        held: pictures in quarantine now.
    """

    runs: int = 0
    pictures: int = 0
    failed: int = 0
    late: int = 0
    left: int = 0
    queued: int = 0
    held: int = 0


def fail(calls: list[Call], error: BaseException) -> None:
    """Hand `error` to every caller."""
    for call in calls:
        call.vectors.set_exception(error)


def last_deadline(calls: list[Call]) -> float | None:
    """Return the moment after which none of the callers waits any more; None where one waits for ever."""
    moments = [call.deadline for call in calls if call.deadline is not None]
    return max(moments) if len(moments) == len(calls) else None
