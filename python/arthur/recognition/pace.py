"""How long the steps of a recognition usually take, so that none is begun that would end behind the deadline."""

from __future__ import annotations

from arthur.recognition.stages import Stages

SHARE = 0.1
"""Weight of the newest observation in the running mean."""


class Pace:
    """Running means of steps, by name. Callable from any thread; a lost update between two threads does no harm."""

    def __init__(self) -> None:
        self._usual_ms: dict[str, float] = {}

    def note(self, step: str, took_ms: float) -> None:
        """Take an observation into account."""
        usual = self._usual_ms.get(step, took_ms)
        self._usual_ms[step] = usual + SHARE * (took_ms - usual)

    def fits(self, step: str, stages: Stages) -> bool:
        """Return whether a step, as long as it usually takes, would end before the deadline."""
        left_s = stages.remaining_s
        return left_s is None or left_s * 1000 > self._usual_ms.get(step, 0.0)
