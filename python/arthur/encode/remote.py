"""An engine that runs elsewhere: the Encoder and the text tower of one or several embedding services."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

import numpy as np
import orjson
from pydantic import ValidationError

from arthur.encode import wire
from arthur.encode.address import parse_addresses
from arthur.encode.batch import Batched
from arthur.encode.connection import Answer, Ask, Lost, Unreached
from arthur.encode.deadline import deadline, left_s
from arthur.encode.endpoint import Endpoint
from arthur.encode.fleet import Fleet
from arthur.encode.spec import EngineSpec
from arthur.encode.wire import Description
from arthur.errors import (
    ArthurError,
    BadRequest,
    Conflict,
    DeadlineExceeded,
    EngineError,
    EngineMismatch,
    EngineUnavailable,
    Overloaded,
)
from arthur.types import Pixels, Vectors

_PROBE_S = 2.0
_LANES = 2
"""Requests of this process under way at each service: one runs while the next arrives."""
_RETRY_S = 0.1
_LONGEST_DEADLINE_S = 3600.0
_ERRORS: dict[str, type[ArthurError]] = {
    kind.code: kind for kind in (BadRequest, Conflict, DeadlineExceeded, EngineMismatch, EngineUnavailable, Overloaded)
}


class RemoteEncoder:
    """Embedding services as one engine. See Encoder and TextEncoder.

    Services gather the calls of all processes into batches. Those of this process that come while two requests for each
    service are under way share the next one, because a request costs a service as much as many pictures.
    """

    def __init__(self, engine: str, *, timeout_s: float = 10.0, start_s: float = 10.0) -> None:
        """Ask the services at the addresses in `engine` what they run.

        Args:
            engine: addresses, separated by commas: `http://host:port`, `unix:/path`.
            timeout_s: longest time for one answer, whatever deadline the caller has.
            start_s: how long to wait for the first service to answer; the others may come later.

        Raises:
            ConfigError: an address is not of that form.
            EngineMismatch: the services run different engines.
            EngineError: what answers is no embedding service; EngineUnavailable: nothing does.
        """
        endpoints = [Endpoint(address) for address in parse_addresses(engine)]
        with ExitStack() as failing:
            for endpoint in endpoints:
                failing.callback(endpoint.close)
            found = _first_descriptions(endpoints, start_s=start_s)
            failing.pop_all()
        self._description = next(one for one in found.values() if isinstance(one, Description))
        batch_max = min(one.batch_max for one in found.values() if isinstance(one, Description))
        self._spec = self._description.spec
        self._fleet = Fleet(endpoints, probe=partial(_probe, fingerprint=self._spec.fingerprint), timeout_s=timeout_s)
        self._services = _Services(self._spec, self._fleet)
        services = len(endpoints)
        self._queue = Batched(self._services, batch_max=batch_max, lanes=_LANES * services, spread=services)
        for member in self._fleet.members:
            if isinstance(why := found[member.endpoint], str):
                self._fleet.put_out(member, why)

    @property
    def spec(self) -> EngineSpec:
        """See Encoder.spec."""
        return self._spec

    @property
    def description(self) -> Description:
        """What the first service that answered tells of itself."""
        return self._description

    def services(self) -> dict[str, str]:
        """Return for each address why its service is not asked; "" while it is."""
        return {member.endpoint.address.url: member.out for member in self._fleet.members}

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode. More pictures than a service takes at once are sent one batch after the other.

        Raises:
            DeadlineExceeded: the caller's deadline (see `encode.deadline`) passed before its vectors were there.
            EngineUnavailable: no service answers.
        """
        return self._queue.encode(pixels)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See TextEncoder.embed."""
        if not self._description.text:
            raise Conflict(f"the engine {self._spec.name} has no text tower, so it cannot search by text")
        starts = range(0, len(texts), wire.TEXTS_MAX)
        return np.concatenate([self._services.read(texts[start : start + wire.TEXTS_MAX]) for start in starts])

    def close(self) -> None:
        """See Encoder.close. Calls in flight get their answers."""
        self._queue.close()


class _Services:
    """The services, asked once for each call. See Encoder."""

    def __init__(self, spec: EngineSpec, fleet: Fleet) -> None:
        self.spec = spec
        self._fleet = fleet
        self._closed = False

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode; no more pictures than a service takes at once."""
        body = np.ascontiguousarray(pixels).data.cast("B")
        headers = {"content-type": wire.PIXELS, wire.COUNT: str(len(pixels)), wire.SIDE: str(self.spec.side)}
        try:
            return self._vectors(headers, body, len(pixels))
        except (BadRequest, Conflict) as error:
            raise EngineError(f"an embedding service refused its request: {error}") from error

    def read(self, texts: Sequence[str]) -> Vectors:
        """Embed no more sentences than a service takes at once."""
        try:
            body = orjson.dumps({"texts": list(texts)})
        except orjson.JSONEncodeError as error:
            raise BadRequest("a text to search for must be Unicode") from error
        return self._vectors({"content-type": "application/json"}, body, len(texts))

    def close(self) -> None:
        """See Encoder.close."""
        self._closed = True
        self._fleet.close()

    def _vectors(self, headers: dict[str, str], body: bytes | memoryview, count: int) -> Vectors:
        """Ask for `count` vectors, and hold the answer to what was asked.

        Raises:
            ArthurError: what the service says, or that its answer is none.
        """
        if self._closed:
            raise EngineError(f"engine {self.spec.name} is closed")
        until = deadline()
        headers |= {wire.ENGINE: self.spec.fingerprint, "accept": wire.VECTORS}
        if until is not None:
            headers[wire.DEADLINE] = str(int(1000 * left_s(until, at_most=_LONGEST_DEADLINE_S)))
        answer = self._fleet.ask(Ask("POST", wire.EMBED_PATH, headers, body), until=until)
        if answer.status != 200:
            raise _refusal(answer)
        if answer.headers.get(wire.ENGINE) != self.spec.fingerprint:
            raise EngineMismatch(f"an embedding service answered with vectors of another engine than {self.spec.label}")
        try:
            vectors = wire.unpacked(answer.body, self.spec.dim)
        except ValueError as error:
            raise EngineError(f"an embedding service answered with {len(answer.body)} bytes, no vectors") from error
        if len(vectors) != count or not np.isfinite(vectors).all():
            raise EngineError(
                f"an embedding service gave {len(vectors)} vectors for {count}, or one that is not finite"
            )
        return vectors


def _first_descriptions(endpoints: Sequence[Endpoint], *, start_s: float) -> dict[Endpoint, Description | str]:
    """Return what each service tells of itself, or why it does not, as soon as one does.

    Raises:
        EngineMismatch, EngineError, EngineUnavailable: see RemoteEncoder.
    """
    end = time.monotonic() + start_s
    while True:
        found = {endpoint: _tried(partial(_described, endpoint)) for endpoint in endpoints}
        told = {endpoint: one for endpoint, one in found.items() if isinstance(one, Description)}
        if told or time.monotonic() >= end:
            break
        time.sleep(_RETRY_S)
    if not told:
        reasons = "; ".join(f"{endpoint.address.url}: {why}" for endpoint, why in found.items())
        raise EngineUnavailable(f"no embedding service answers: {reasons}")
    if len({one.fingerprint for one in told.values()}) > 1:
        engines = ", ".join(f"{endpoint.address.url} {one.spec.label}" for endpoint, one in told.items())
        raise EngineMismatch(f"the embedding services run different engines: {engines}")
    return found


def _tried(describe: Callable[[], Description]) -> Description | str:
    """Return a description, or why there is none yet."""
    try:
        return describe()
    except (EngineUnavailable, Lost, Unreached) as error:
        return str(error)


def _described(endpoint: Endpoint) -> Description:
    """Ask a service what it runs.

    Raises:
        Lost, Unreached, EngineUnavailable: it does not answer, or not yet.
        EngineError: it is no embedding service.
    """
    answer = endpoint.send(Ask("GET", wire.ENGINE_PATH), timeout_s=_PROBE_S).answer(_PROBE_S)
    if answer.status >= 500:
        raise EngineUnavailable(f"it answered {answer.status}")
    try:
        return Description.model_validate_json(answer.body)
    except ValidationError as error:
        url = endpoint.address.url
        raise EngineError(f"{url} is no embedding service of this version (GET {wire.ENGINE_PATH})") from error


def _probe(endpoint: Endpoint, *, fingerprint: str) -> None:
    """Find out whether a service may be asked again: it embeds its canary, and still runs the engine.

    Raises:
        ArthurError, Lost, Unreached: it may not.
    """
    answer = endpoint.send(Ask("GET", wire.READY_PATH), timeout_s=_PROBE_S).answer(_PROBE_S)
    if answer.status != 200:
        raise _refusal(answer)
    if _described(endpoint).fingerprint != fingerprint:
        raise EngineMismatch("it runs another engine")


def _refusal(answer: Answer) -> ArthurError:
    """Return the error that a service tells."""
    try:
        members = orjson.loads(answer.body)
        code, detail = members["type"].rpartition("/")[2], str(members["detail"])
    except (ValueError, TypeError, KeyError, AttributeError):
        code, detail = "", f"an embedding service answered {answer.status}"
    if code == Overloaded.code:
        seconds = answer.headers.get("retry-after", "1")
        return Overloaded(detail, retry_after_s=int(seconds) if seconds.isdecimal() else 1)
    return _ERRORS.get(code, EngineError)(detail)
