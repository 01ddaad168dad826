"""Granian as a server of our own requests and answers: bodies read within limits, callers that left noticed.

The only module that imports granian. It runs inside the process and event loop of its caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Protocol, Self

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.rsgi import (  # type: ignore[attr-defined]  # documented names that it does not re-export as typed
    HTTPProtocol,
    ProtocolClosed,
    ProtocolError,
    Scope,
)
from granian.server.embed import Server

from arthur.encode.address import Address
from arthur.errors import ArthurError, BadRequest, ImageTooLarge, Overloaded
from arthur.web.app import request_id
from arthur.web.body import check_length
from arthur.web.http import Request, Response, problem

log = structlog.get_logger(__name__)

_BODY_S = 10.0
_THROWN_MAX = 2**25
_POLL_S = 0.01
_PATIENCE_S = 0.05


class App(Protocol):
    """What is served. Called on the event loop, so it must not block."""

    def limit(self, request: Request) -> int:
        """Return the bytes that the body of a request, whose headers have come, may have.

        Raises:
            ArthurError: the request is refused whatever its body.
        """
        ...

    async def answer(self, request: Request) -> Response:
        """Answer a request; cancelled when the caller has left. Never raises."""
        ...


@dataclass(slots=True)
class _Door:
    """How many are in.

    Attributes:
        places: requests with a body that may be in at a time.
        bytes_max: length of their bodies together; a lone one may be longer.
        inside: all requests that have no answer yet.
        bytes: length of the bodies that are in.
    """

    places: int
    bytes_max: int
    taken: int = 0
    inside: int = 0
    bytes: int = 0

    @contextmanager
    def let_in(self, length: int) -> Iterator[None]:
        """Take a place for a body of that length.

        Raises:
            Overloaded: there is none, or the bodies would take too much memory.
        """
        if self.taken >= self.places or (self.bytes and self.bytes + length > self.bytes_max):
            raise Overloaded("every place of the service is taken")
        self.taken += 1
        self.bytes += length
        try:
            yield
        finally:
            self.taken -= 1
            self.bytes -= length


class GranianServer:
    """Serves one App at one address. Belongs to the event loop that runs it."""

    def __init__(self, app: App, address: Address, *, places: int, bytes_max: int = 2**29) -> None:
        """Serve `app`; requests with a body get 429 before it is read when none of the `places` is free.

        The same goes for those that would bring the bodies under way above `bytes_max` together.
        """
        self._app = app
        self._door = _Door(places, bytes_max)
        path = Path(address.path) if address.path else None
        self._server = Server(
            self,
            address=address.host,
            port=address.port,
            uds=path,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=1024,
            backpressure=2 * places + 64,  # more connections than places: who finds none is to be told so
            log_level=LogLevels.error,
        )
        self._path = path

    @property
    def inside(self) -> int:
        """Requests that have no answer yet."""
        return self._door.inside

    async def run(self) -> None:
        """Serve until `stop`."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)  # left behind by one that was killed; the supervisor saw nobody there
        await self._server.serve()

    async def stop(self, *, drain_s: float) -> None:
        """Wait until every request has its answer, but no longer than `drain_s`, and end `run`."""
        end = monotonic() + drain_s
        while self._door.inside and monotonic() < end:
            await asyncio.sleep(_POLL_S)
        if self._door.inside:
            log.warning("drain_ended_early", in_flight=self._door.inside, drain_s=drain_s)
        self._server.stop()  # type: ignore[no-untyped-call]  # the library's own gap

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        """Answer one request of Granian's."""
        headers = dict(scope.headers.items())
        given = request_id(headers.get("x-request-id"))
        request = Request(scope.method, scope.path, {}, headers, b"", given, scope.client, monotonic())
        self._door.inside += 1
        try:
            response = await self._answered(request, proto)
            if response is not None:
                sent = {**response.headers, "x-request-id": request.request_id}
                proto.response_bytes(response.status, list(sent.items()), response.body)
        finally:
            self._door.inside -= 1

    async def _answered(self, request: Request, proto: HTTPProtocol) -> Response | None:
        """Return the answer to a request, or None when its caller has left."""
        if request.method != "POST":
            return await self._app.answer(request)
        try:
            with self._door.let_in(self._length(request)):
                whole = replace(request, body=await _body(proto))
                check_length(whole)
                with _Watch(proto.client_disconnect):
                    return await self._app.answer(whole)
                return None
        except ProtocolClosed:
            return None
        except ArthurError as error:
            return await _refused(request, error, proto)

    def _length(self, request: Request) -> int:
        """Return the length of the body, which has to be declared: a broken chunked one would look like a whole one.

        Raises:
            ArthurError: it is too long, or of unknown length.
        """
        declared = request.headers.get("content-length", "")
        if not declared.isdecimal():
            raise BadRequest("a request needs a Content-Length")
        limit = self._app.limit(request)
        if int(declared) > limit:
            raise ImageTooLarge(f"the body has {declared} bytes, more than the {limit} allowed")
        return int(declared)


async def _body(proto: HTTPProtocol) -> bytes:
    """Read the body.

    Raises:
        BadRequest: it is too slow.
        ProtocolClosed: the caller left in the middle of it.
    """
    try:
        async with asyncio.timeout(_BODY_S):
            body: bytes = await proto()
            return body
    except TimeoutError as error:
        raise BadRequest(f"the body did not arrive within {_BODY_S:g} s") from error


async def _refused(request: Request, error: ArthurError, proto: HTTPProtocol) -> Response | None:
    """Return a refusal, once what still comes of the body was thrown away.

    Closing a TCP connection while there is something to read resets it, and the caller would not see the answer.
    """
    thrown = 0
    with suppress(TimeoutError):
        try:
            async with asyncio.timeout(_BODY_S):
                async for chunk in proto:
                    thrown += len(chunk)
                    if thrown > _THROWN_MAX:
                        break
        except ProtocolClosed:
            return None
        except ProtocolError:
            pass  # it was read whole
    return problem(error, request.request_id)


class _Watch:
    """Cancels the task in its block when the caller leaves. The block is then over, and `left` is true.

    To be told of it costs Granian a task and two wake-ups, so it is only asked once an answer takes longer than most.
    """

    def __init__(self, leaving: Callable[[], Awaitable[None]]) -> None:
        self._leaving = leaving
        self._gone: asyncio.Future[None] | None = None
        self.left = False

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE_S, self._begin)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """End it; whether what was raised only says that the caller left."""
        self._timer.cancel()
        if self._gone is not None:
            self._gone.cancel()
        return self.left and kind is asyncio.CancelledError

    def _begin(self) -> None:
        self._gone = asyncio.ensure_future(self._leaving())
        self._gone.add_done_callback(self._end)

    def _end(self, gone: asyncio.Future[None]) -> None:
        if not gone.cancelled() and self._task is not None:
            self.left = True
            self._task.cancel()
