"""Several embedding services that run one engine: which to ask, which are out, and when they are back."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from arthur.encode.connection import Answer, Ask, Lost, Unreached
from arthur.encode.deadline import left_s
from arthur.encode.endpoint import Endpoint, Exchange
from arthur.encode.hedging import Hedging
from arthur.errors import ArthurError, DeadlineExceeded, EngineUnavailable

log = structlog.get_logger(__name__)

_PROBE_EVERY_S = 0.5
_FAILURES = 5
_LOST_MAX = 2
_GRACE_S = 1.0
"""Time that sending, or reading what has begun to arrive, may take however soon the deadline is."""
_BUSY, _MISDIRECTED, _FAULT, _AWAY = 429, 421, 500, 503


@dataclass(slots=True, eq=False)
class Member:
    """A service and how it is. The fleet's lock guards it.

    Attributes:
        in_flight: requests that it has not answered.
        failures: faults since its last good answer, lost races among them.
        out: why it is not asked; "" while it is.
    """

    endpoint: Endpoint
    in_flight: int = 0
    failures: int = 0
    out: str = ""


class Fleet:
    """Asks the services. Callable from any thread.

    The one with the fewest requests in flight is asked. One that cannot be reached, breaks off, or fails five times
    in a row is left out; a thread probes it twice a second, and takes it back when `probe` passes.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, probe: Callable[[Endpoint], None], timeout_s: float) -> None:
        """Own the endpoints.

        Args:
            endpoints: at least one.
            probe: raises ArthurError, Lost or Unreached when a service is not fit to be asked.
            timeout_s: longest time for an answer, whatever deadline the caller has.
        """
        self.members = tuple(Member(endpoint) for endpoint in endpoints)
        self.hedging = Hedging()
        self._probe = probe
        self._timeout_s = timeout_s
        self._turn = 0
        self._lock = threading.Lock()
        self._sick = threading.Event()
        self._closed = threading.Event()
        self._nurse = threading.Thread(target=self._nurse_back, name="arthur-embedders", daemon=True)
        self._nurse.start()

    def ask(self, ask: Ask, *, until: float | None = None) -> Answer:
        """Return the first answer of a service that is neither overloaded nor leaving; 429 if all are overloaded.

        What a service may have seen without answering is asked once more, of another one: a request that kills
        services must not kill them all.

        Raises:
            DeadlineExceeded: `until`, as `time.monotonic()` counts, passed first.
            EngineUnavailable: no service answered.
        """
        begun = time.monotonic()
        race = _Race(self, ask, begun + left_s(until, at_most=self._timeout_s))
        try:
            answer = race.run()
        finally:
            race.end()
        if answer is not None:
            self.hedging.note(time.monotonic() - begun)
            return answer
        if until is not None and time.monotonic() >= until:
            raise DeadlineExceeded("the deadline passed before an embedding service answered")
        raise EngineUnavailable(f"no embedding service answers: {self._states()}")

    def close(self) -> None:
        """Close every kept connection. Closing twice is allowed."""
        with self._lock:
            self._closed.set()
            self._sick.set()
        self._nurse.join()
        for member in self.members:
            member.endpoint.close()

    def choose(self, tried: Sequence[Member]) -> Member | None:
        """Take the least busy service that is in and not among `tried`; ties are broken in turn."""
        with self._lock:
            self._turn += 1
            places = len(self.members)
            order = [self.members[(self._turn + place) % places] for place in range(places)]
            ready = [member for member in order if not member.out and member not in tried]
            chosen = min(ready, key=lambda member: member.in_flight, default=None)
            if chosen is not None:
                chosen.in_flight += 1
            return chosen

    def well(self, member: Member) -> None:
        """Note a good answer."""
        member.failures = 0

    def failed(self, member: Member, why: str) -> None:
        """Note a fault that may be the question's own; the fifth in a row puts the service out."""
        with self._lock:
            member.failures += 1
        if member.failures >= _FAILURES:
            self.put_out(member, why)

    def put_out(self, member: Member, why: str) -> None:
        """Ask a service no more until its probe passes."""
        with self._lock:
            news = not member.out
            member.out = why
            self._sick.set()
        member.endpoint.drop()
        if news:
            log.warning("embedder_out", embedder=member.endpoint.address.url, why=why)

    def free(self, member: Member) -> None:
        """Note that a request to a service has ended."""
        with self._lock:
            member.in_flight -= 1

    def _states(self) -> str:
        return "; ".join(f"{member.endpoint.address.url}: {member.out or 'overdue'}" for member in self.members)

    def _nurse_back(self) -> None:
        """Probe the services that are out until they are back."""
        while self._sick.wait() and not self._closed.is_set():
            for member in self.members:
                if member.out and not self._closed.is_set():
                    self._examine(member)
            with self._lock:
                if not (self._closed.is_set() or any(member.out for member in self.members)):
                    self._sick.clear()
                    continue
            self._closed.wait(_PROBE_EVERY_S)

    def _examine(self, member: Member) -> None:
        try:
            self._probe(member.endpoint)
        except (ArthurError, Lost, Unreached) as error:
            member.out = str(error)
            return
        with self._lock:
            member.out, member.failures = "", 0
        log.info("embedder_back", embedder=member.endpoint.address.url)


class _Race:
    """One question, under way at one service or at two. Belongs to one thread."""

    def __init__(self, fleet: Fleet, ask: Ask, end: float) -> None:
        self._fleet = fleet
        self._ask = ask
        self._end = end
        self._tried: list[Member] = []
        self._running: list[tuple[Member, Exchange]] = []
        self._lost = 0
        self._busy: Answer | None = None

    def run(self) -> Answer | None:
        """Return the first good answer, else one that says overloaded; None if there is none in time."""
        hedge_s = self._fleet.hedging.after_s if len(self._fleet.members) > 1 else None
        while self._running or self._start():
            hedge_at = self._end if hedge_s is None else time.monotonic() + hedge_s
            first = self._first(min(hedge_at, self._end))
            if first is not None:
                answer = self._read(*first)
                if answer is not None:
                    return answer
            elif time.monotonic() >= self._end:
                self._overdue()
                return None
            else:
                hedge_s = None
                if self._fleet.hedging.take():
                    self._start()
        return self._busy

    def end(self) -> None:
        """Abandon what is still under way: its service sees that nobody waits, and drops it."""
        for member, exchange in self._running:
            exchange.abandon()
            self._fleet.free(member)
        self._running.clear()

    def _start(self) -> bool:
        """Ask the next service that can be reached; False when there is none, or none may be risked."""
        while self._lost < _LOST_MAX and (member := self._fleet.choose(self._tried)) is not None:
            self._tried.append(member)
            try:
                exchange = member.endpoint.send(self._ask, timeout_s=self._left_s())
            except (Lost, Unreached) as error:
                self._fleet.free(member)
                self._lost += isinstance(error, Lost)
                self._fleet.put_out(member, str(error))
                continue
            self._running.append((member, exchange))
            return True
        return False

    def _first(self, moment: float) -> tuple[Member, Exchange] | None:
        """Wait until an answer begins to arrive, but no longer than to that moment; no more than one is waited for."""
        poll = select.poll()
        for _, exchange in self._running:
            poll.register(exchange.fileno(), select.POLLIN)
        ready = poll.poll(max(0.0, moment - time.monotonic()) * 1000)
        for place, (_, exchange) in enumerate(self._running):
            if ready and exchange.fileno() == ready[0][0]:
                return self._running.pop(place)
        return None

    def _read(self, member: Member, exchange: Exchange) -> Answer | None:
        """Read an answer; None when another service has to be asked."""
        try:
            answer = exchange.answer(self._left_s())
        except Lost as error:
            self._lost += 1
            self._fleet.put_out(member, str(error))
            return None
        finally:
            self._fleet.free(member)
        if answer.status == _BUSY:
            self._busy = answer
            return None
        if answer.status in {_AWAY, _MISDIRECTED}:
            self._fleet.put_out(member, "it is stopping" if answer.status == _AWAY else "it runs another engine")
            return None
        if answer.status == _FAULT:
            self._fleet.failed(member, "its engine failed five times in a row")
        else:
            self._settle(member)
        return answer

    def _left_s(self) -> float:
        return max(_GRACE_S, self._end - time.monotonic())

    def _settle(self, member: Member) -> None:
        """Note who won and who lost."""
        self._fleet.well(member)
        for loser, _ in self._running:
            self._fleet.failed(loser, "it was slower than another one five times in a row")

    def _overdue(self) -> None:
        """Put out the services that did not answer in the longest time, unless the caller had less."""
        for member, _ in self._running:
            self._fleet.failed(member, "it did not answer in time")
