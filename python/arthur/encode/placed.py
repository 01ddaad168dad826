"""An engine on a GPU, or in a runtime that was asked for: answers from the first moment, while its plan is made.

Whatever runs it has to come near the golden vectors, or near the full graph where there are none, before it answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog

from arthur.encode.folder import EngineFolder
from arthur.encode.golden import distances, picture
from arthur.encode.precision import LEAST_COSINE
from arthur.encode.runners import Runner, close_runner, distance, open_runner
from arthur.encode.samples import drawn
from arthur.encode.spec import EngineSpec, Variant, check_pixels
from arthur.encode.targets import Target
from arthur.errors import ArthurError, EngineError, EngineMismatch
from arthur.types import Pixels, Vectors

log = structlog.get_logger(__name__)

_COMPARED = 4


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run an engine.

    Attributes:
        name: of runtime and device, for the log.
        precision: of its products.
        ready: opens what is there; None where something has to be compiled first.
        make: compiles and opens it.
    """

    name: str
    precision: Variant
    ready: Callable[[], Runner | None]
    make: Callable[[], Runner]


def way(folder: EngineFolder, target: Target, *, threads: int = 0) -> Way:
    """Return how the engine runs on `target`: in the precision that was built for it, or in the target's own."""
    passport = folder.facts.passport
    built = passport is not None and passport.runtime.startswith(f"{target.runtime} ") and target.gpu is not None
    precision = passport.precision if passport and built else target.precision

    def make() -> Runner:
        return open_runner(folder, precision, threads=threads, target=target)

    def ready() -> Runner | None:
        if not target.planned:
            return make()
        from arthur.encode.compiled import compiler_for, kept, plans_of

        return kept(compiler_for(folder, precision, target), plans_of(folder, target))

    return Way(f"{target.runtime} on {target.device}", precision, ready, make)


class PlacedEncoder:
    """An engine that runs in the best way. See Encoder.

    If that has to be compiled first, a stand-in answers, and is exchanged when the plan is there and was checked. If it
    cannot be made, the stand-in stays, and the log says why.
    """

    def __init__(self, folder: EngineFolder, best: Way, stand_ins: Sequence[Way]) -> None:
        """Open the engine in the `best` way, or in the first of `stand_ins` that can be opened until that is compiled.

        Raises:
            ConfigError: what runs it is not installed.
            EngineError: it cannot be run, or is too far from what it should give.
        """
        self._folder = folder
        self._lock = threading.Lock()
        self._closed = False
        runner = best.ready()
        if runner is None:
            self._held, used = _first(folder, stand_ins)
            log.info("engine_stands_in", engine=folder.facts.name, way=used.name, until=best.name)
        else:
            self._held, used = _Held(near(folder, best.precision, runner)), best
        spec = replace(folder.spec(), variant=used.precision)
        self._spec = replace(spec, canary=self._held.runner.run(picture(spec.side)).tobytes())
        if runner is None:
            threading.Thread(target=self._exchange, args=(best,), name="arthur-plan", daemon=True).start()

    @property
    def spec(self) -> EngineSpec:
        """See Encoder.spec. The variant changes when the stand-in is exchanged."""
        return self._spec

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode."""
        check_pixels(self._spec, pixels)
        with self._using() as runner:
            return runner.run(pixels)

    def close(self) -> None:
        """See Encoder.close. A plan that is being made is still kept for the next start."""
        with self._lock:
            self._closed = True
        self._held.retire()

    @contextmanager
    def _using(self) -> Iterator[Runner]:
        """Hold on to what runs now, so that it is not freed while it is in use."""
        with self._lock:
            if self._closed:
                raise EngineError(f"engine {self._spec.name} is closed")
            held = self._held
            held.enter()
        try:
            yield held.runner
        finally:
            held.leave()

    def _exchange(self, best: Way) -> None:
        """Compile the engine, check it, and let it answer from then on."""
        name = self._spec.name
        try:
            fresh = _Held(near(self._folder, best.precision, best.make()))
        except ArthurError as error:
            log.error("engine_not_exchanged", engine=name, way=best.name, error=str(error))  # noqa: TRY400 - no traceback
            return
        with self._lock:
            old, closed = (fresh if self._closed else self._held), self._closed
            if not closed:
                self._held = fresh
                self._spec = replace(self._spec, variant=best.precision)
        old.retire()
        if not closed:
            log.info("engine_exchanged", engine=name, way=best.name, precision=best.precision)


def near(folder: EngineFolder, precision: Variant, runner: Runner) -> Runner:
    """Return `runner` if it comes near enough to the golden vectors, or to the full graph where there are none.

    Raises:
        EngineMismatch: it does not; it was closed.
        EngineError: it failed.
    """
    facts = folder.facts
    if facts.golden is not None:
        found = distance(runner, folder)
    else:
        shown = drawn(facts.side, count=_COMPARED)
        found = float(distances(runner.run(shown), open_runner(folder, "fp32", threads=1).run(shown)).max())
    if found <= 1 - LEAST_COSINE[precision]:
        return runner
    close_runner(runner)
    raise EngineMismatch(
        f"engine {facts.name}: {precision} comes to a cosine of {1 - found:.4f}, not {LEAST_COSINE[precision]:g}"
    )


class _Held:
    """A runner that is closed when nothing uses it any more."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._lock = threading.Lock()
        self._users, self._retired = 0, False

    def enter(self) -> None:
        """Begin to use the runner."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """End using it."""
        with self._lock:
            self._users -= 1
            last = self._retired and not self._users
        if last:
            close_runner(self.runner)

    def retire(self) -> None:
        """Close the runner now, or when its last user leaves. Twice is allowed."""
        with self._lock:
            last = not (self._users or self._retired)
            self._retired = True
        if last:
            close_runner(self.runner)


def _first(folder: EngineFolder, ways: Sequence[Way]) -> tuple[_Held, Way]:
    """Open the first way that can be opened at once."""
    for one in ways[:-1]:
        try:
            runner = one.ready()
            if runner is not None:
                return _Held(near(folder, one.precision, runner)), one
        except ArthurError as error:
            log.warning("engine_cannot_stand_in", engine=folder.facts.name, way=one.name, error=str(error))
    return _Held(near(folder, ways[-1].precision, ways[-1].make())), ways[-1]
