"""What an embedding service answers: pixels, pictures or sentences in, vectors out; docs/embedder.md tells it all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TypeVar

import numpy as np
import orjson
import structlog

from arthur.decode import ImageDecoder
from arthur.encode import canary, wire
from arthur.encode.batch import Batched
from arthur.encode.deadline import is_late, left_s, within
from arthur.encode.text import TextEncoder
from arthur.encode.wire import Description
from arthur.errors import (
    ArthurError,
    BadRequest,
    DeadlineExceeded,
    EngineError,
    EngineMismatch,
    EngineUnavailable,
    NotFound,
)
from arthur.types import Pixels, Vectors
from arthur.web.embedding_metrics import EmbedderMetrics
from arthur.web.http import JSON, Request, Response, json_response, problem

Result = TypeVar("Result")

log = structlog.get_logger(__name__)

_LONGEST_S = 60.0
_CANARY_S = 5.0
_TEXT_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class EmbeddingParts:
    """What the service is made of; it owns none of it.

    Attributes:
        text: None where the engine has no text tower.
        pool: threads for decoding, for sentences and for probes.
        max_image_bytes: largest encoded picture.
    """

    encoder: Batched
    text: TextEncoder | None
    decoder: ImageDecoder
    description: Description
    pool: Executor
    max_image_bytes: int


class Embedding:
    """The service. Belongs to one event loop; see granian.App."""

    def __init__(self, parts: EmbeddingParts) -> None:
        self._parts = parts
        self._spec = parts.encoder.spec
        self._numbers = EmbedderMetrics(self._spec, parts.encoder.stats)
        self.draining = False
        self._routes: Mapping[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("GET", wire.ALIVE_PATH): self._alive,
            ("GET", wire.READY_PATH): self._ready,
            ("GET", wire.ENGINE_PATH): self._engine,
            ("GET", "/metrics"): self._metrics,
            ("POST", wire.EMBED_PATH): self._embed,
        }

    def limit(self, request: Request) -> int:
        """See granian.App.limit."""
        if request.path != wire.EMBED_PATH:
            return 0
        if request.media_type == wire.PIXELS:
            return self._parts.description.batch_max * self._spec.side**2 * 3
        return self._parts.max_image_bytes if request.media_type.startswith("image/") else _TEXT_BYTES

    async def answer(self, request: Request) -> Response:
        """See granian.App.answer."""
        try:
            response = await self._route(request)(request)
        except ArthurError as error:
            status = HTTPStatus.MISDIRECTED_REQUEST if isinstance(error, EngineMismatch) else None
            response = problem(error, request.request_id, status)
        except Exception as error:  # the one place where a bug becomes a 500
            log.exception("bug", path=request.path, request_id=request.request_id)
            response = problem(error, request.request_id)
        path = request.path if (request.method, request.path) in self._routes else ""
        seconds = time.monotonic() - request.received_at
        self._numbers.answered(path, response.status, seconds, request_id=request.request_id)
        return response

    def _route(self, request: Request) -> Callable[[Request], Awaitable[Response]]:
        try:
            return self._routes[request.method, request.path]
        except KeyError:
            raise NotFound(f"an embedding service has no {request.method} {request.path}") from None

    async def _alive(self, _: Request) -> Response:
        return json_response({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        """Embed the fixed picture, and compare its vector with the one it gave at load."""
        self._refuse_when_draining()
        try:
            await self._in_pool(partial(_canary, self._parts.encoder))
        except (EngineError, DeadlineExceeded) as error:
            raise EngineUnavailable(str(error)) from error
        return json_response({"status": "ready"})

    async def _engine(self, _: Request) -> Response:
        return Response(200, self._parts.description.model_dump_json().encode(), {"content-type": JSON})

    async def _metrics(self, request: Request) -> Response:
        numbers, media_type = self._numbers.exposition(request.headers.get("accept", ""))
        return Response(200, numbers, {"content-type": media_type})

    async def _embed(self, request: Request) -> Response:
        self._refuse_when_draining()
        wanted = request.headers.get(wire.ENGINE)
        if wanted not in {None, self._spec.fingerprint}:
            raise EngineMismatch(f"this service runs {self._spec.label}, another engine than is asked for")
        until = request.received_at + _seconds(request)
        if request.media_type in {JSON, "text/plain"}:
            vectors = await self._read(request, until)
        else:
            pixels = self._pixels(request) if request.media_type == wire.PIXELS else await self._decoded(request, until)
            vectors = await self._run(pixels, until)
        return self._answer_of(vectors, request.headers.get("accept", ""))

    def _refuse_when_draining(self) -> None:
        if self.draining:
            raise EngineUnavailable("the embedding service is stopping")

    def _pixels(self, request: Request) -> Pixels:
        """View the body as `(n, side, side, 3)`; where its headers tell n or side, they have to be right."""
        side = self._spec.side
        count, rest = divmod(len(request.body), side * side * 3)
        told = (request.headers.get(wire.COUNT, str(count)), request.headers.get(wire.SIDE, str(side)))
        if rest or not count or told != (str(count), str(side)):
            raise BadRequest(f"{wire.PIXELS} is n x {side} x {side} x 3 bytes here, and says no other n or side")
        return np.frombuffer(request.body, np.uint8).reshape(count, side, side, 3)

    async def _decoded(self, request: Request, until: float) -> Pixels:
        """Decode a picture to the engine's square: `(1, side, side, 3)`."""
        if not request.media_type.startswith("image/"):
            raise BadRequest(f"the Content-Type has to be {wire.PIXELS}, image/..., text/plain or {JSON}")

        def decode() -> Pixels:
            _check(until)
            return self._parts.decoder(request.body, self._spec.side, fit=self._spec.fit).pixels[None]

        return await self._in_pool(decode)

    async def _run(self, pixels: Pixels, until: float) -> Vectors:
        """Embed pixels in a batch with whatever comes meanwhile; a call that is cancelled here is not run."""
        vectors = self._parts.encoder.submit(pixels, until=until)
        try:
            async with asyncio.timeout(left_s(until, at_most=_LONGEST_S)):
                return await asyncio.wrap_future(vectors)
        except TimeoutError as error:
            raise DeadlineExceeded("the deadline passed before the engine had run") from error

    async def _read(self, request: Request, until: float) -> Vectors:
        """Embed the sentences of a body."""
        text = self._parts.text
        if text is None:
            raise BadRequest(f"the engine {self._spec.name} has no text tower")
        sentences = _sentences(request)

        def embed() -> Vectors:
            _check(until)
            return text.embed(sentences)

        return await self._in_pool(embed)

    async def _in_pool(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._parts.pool, work)

    def _answer_of(self, vectors: Vectors, accept: str) -> Response:
        told = {wire.ENGINE: self._spec.fingerprint, wire.DIM: str(self._spec.dim), wire.COUNT: str(len(vectors))}
        if JSON not in accept:
            return Response(200, wire.packed(vectors), {"content-type": wire.VECTORS, **told})
        members = {"engine": self._spec.label, "fingerprint": self._spec.fingerprint, "dim": self._spec.dim}
        body = orjson.dumps({**members, "vectors": vectors}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(200, body, {"content-type": JSON, **told})


def _canary(encoder: Batched) -> None:
    with within(_CANARY_S):
        canary(encoder)


def _check(until: float) -> None:
    """Raise DeadlineExceeded when nobody waits for what would begin now."""
    if is_late(until):
        raise DeadlineExceeded("the deadline passed before the work began")


def _seconds(request: Request) -> float:
    """Return for how long the caller waits.

    Raises:
        BadRequest: the deadline is no number of milliseconds.
    """
    given = request.headers.get(wire.DEADLINE)
    if given is None:
        return _LONGEST_S
    if not given.isdecimal() or len(given) > 9:
        raise BadRequest(f"{wire.DEADLINE} is a whole number of milliseconds")
    return min(_LONGEST_S, int(given) / 1000)


def _sentences(request: Request) -> list[str]:
    """Return the sentences of `{"texts": [...]}`, or the one that a plain body is.

    Raises:
        BadRequest: the body is of another form, or has too many.
    """
    try:
        if request.media_type != JSON:
            return [request.body.decode()]
        texts = orjson.loads(request.body)["texts"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadRequest('sentences come as text/plain in UTF-8, or as JSON {"texts": ["..."]}') from error
    if (
        not isinstance(texts, list)
        or not 1 <= len(texts) <= wire.TEXTS_MAX
        or not all(isinstance(t, str) for t in texts)
    ):
        raise BadRequest(f'"texts" has to be a list of 1 to {wire.TEXTS_MAX} sentences')
    return texts
