"""An App as an ASGI application, made to be asked by anybody: what is refused is refused before its body is read.

A body has to keep coming, at 16 KiB/s on average after ten seconds, and all bodies together have a bound. What comes
of a refused one is thrown away, within limits, so that the caller sees the answer instead of a reset connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeAlias

from arthur.errors import ArthurError, BadRequest, Overloaded
from arthur.web.app import App, Plan, request_id, told
from arthur.web.body import decode_pairs, too_large
from arthur.web.desk import Desk
from arthur.web.http import MalformedBody, Request, Response, TooSlow
from arthur.web.listening import PATH, Left, Listening

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_GRACE_S = 10.0
_SLOWEST = 16 * 2**10
_THROWN_S = 5.0
_BODIES_MAX = 2**28
_LARGEST_WORD = 4096


class EndedEarly(BadRequest):
    """The caller left in the middle of a body, or sent chunks that are none."""


@dataclass(slots=True)
class Held:
    """Bytes of all bodies that are in memory; one that is alone may be longer than the bound."""

    bound: int = _BODIES_MAX
    bytes: int = 0

    def add(self, more: int, *, own: int) -> None:
        """Take up a piece of a body of which `own` bytes are here.

        Raises:
            Overloaded: there are too many.
        """
        if self.bytes > own and self.bytes + more > self.bound:
            raise Overloaded("the bodies of other requests take all the memory that bodies may take")
        self.bytes += more


class Body:
    """One request's body as it comes; to be used as a context manager, which lets its bytes go."""

    def __init__(self, receive: Receive, held: Held, *, grace_s: float = _GRACE_S) -> None:
        self._receive = receive
        self._held = held
        self._grace_s = grace_s
        self._taken = 0
        self._ended = False

    def __enter__(self) -> Body:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget its bytes."""
        self._held.bytes -= self._taken

    async def read(self, limit: int, declared: str) -> bytes:
        """Return the body.

        Raises:
            ImageTooLarge: it is longer than `limit`, or says that it will be.
            EndedEarly: it ended early, or its chunks are malformed.
            TooSlow: it hardly comes.
            Overloaded: too many others are coming.
        """
        if declared.isdecimal() and (len(declared) > 15 or int(declared) > limit):
            raise too_large(limit)
        pieces: list[bytes] = []
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._grace_s) as patience:
                while not self._ended:
                    pieces.append(await self._next(limit))
                    patience.reschedule(begun + self._grace_s + self._taken / _SLOWEST)
        except TimeoutError as error:
            raise TooSlow(f"the body came at less than {_SLOWEST} bytes a second") from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def throw_away(self, at_most: int) -> None:
        """Receive what still comes, so that the connection can serve on; a longer rest is left to close it."""
        thrown = 0
        with suppress(TimeoutError, BadRequest):
            async with asyncio.timeout(_THROWN_S):
                while not self._ended and thrown <= at_most:
                    thrown += len(await self._piece())

    async def _next(self, limit: int) -> bytes:
        piece = await self._piece()
        if self._taken + len(piece) > limit:
            raise too_large(limit)
        self._held.add(len(piece), own=self._taken)
        self._taken += len(piece)
        return piece

    async def _piece(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self._ended = True
            raise EndedEarly("the body ended before it was whole")
        self._ended = not message.get("more_body", False)
        return bytes(message.get("body", b""))


class AsgiApp:
    """The application. Belongs to one event loop. While `draining`, each connection is closed behind its answer."""

    def __init__(self, app: App, desk: Desk, listening: Listening) -> None:
        self._app = app
        self._desk = desk
        self._listening = listening
        self._held = Held()
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or keep one WebSocket."""
        if scope["type"] == "websocket":
            await self._listen(scope, receive, send)
            return
        with self._desk.visit(), Body(receive, self._held) as body:
            plan, sound = self._planned(scope)
            if plan.answer is None:
                plan, sound = await self._with_body(plan, body)
            await _give(send, await self._desk.answer(plan), closing=self.draining or not sound)
            if sound:
                await body.throw_away(self._app.service.settings.max_image_bytes)

    def _planned(self, scope: Scope) -> tuple[Plan, bool]:
        """Return what is to be done, as far as the head of a request tells, and whether its connection may go on."""
        headers = _headers(scope["headers"])
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query={},
            headers=headers,
            body=b"",
            request_id=request_id(headers.get("x-request-id")),
            peer=(scope["client"] or ("",))[0],
            received_at=time.monotonic(),
        )
        try:
            _check_framing(scope["http_version"], headers)
        except BadRequest as error:
            return Plan(request, answer=told(request, error)), False
        try:
            return self._app.plan(replace(request, query=_query(scope["query_string"]))), True
        except BadRequest as error:
            return Plan(request, answer=told(request, error)), True

    async def _with_body(self, plan: Plan, body: Body) -> tuple[Plan, bool]:
        """Return the plan with the whole body in its request, whose time begins now; or with a refusal in it."""
        if plan.route is None:
            return plan, True
        if not self._desk.has_room_for(plan):
            return replace(plan, answer=self._app.refuse(plan)), True
        request, limit = plan.request, self._app.body_limit(plan.route)
        try:
            whole = await body.read(limit, request.headers.get("content-length", ""))
        except (TooSlow, EndedEarly) as error:
            return replace(plan, answer=told(request, error, plan.route)), False
        except ArthurError as error:
            return replace(plan, answer=told(request, error, plan.route)), True
        return replace(plan, request=replace(request, body=whole, received_at=time.monotonic())), True

    async def _listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # the handshake
        if scope["raw_path"].rstrip(b"/") != PATH.encode() or self.draining:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        await self._listening.tell(_Socket(receive, send))


class _Socket:
    """See listening.Socket."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def receive(self) -> str:
        """See Socket.receive. A message of more than 4 KiB ends the connection: there is nothing so long to say."""
        try:
            message = await self._receive()
        except RuntimeError as error:  # the server's word for a connection that is no more
            raise Left from error
        if message["type"] != "websocket.receive":
            raise Left
        said = message.get("text") or message.get("bytes") or ""
        if len(said) > _LARGEST_WORD:
            await self.close()
            raise Left
        return said if isinstance(said, str) else ""

    async def send(self, text: str) -> None:
        """See Socket.send."""
        try:
            await self._send({"type": "websocket.send", "text": text})
        except RuntimeError as error:
            raise Left from error

    async def close(self) -> None:
        """See Socket.close."""
        with suppress(RuntimeError):
            await self._send({"type": "websocket.close", "code": 1000})


def _headers(given: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Join repeated headers."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in given:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _check_framing(version: str, headers: Mapping[str, str]) -> None:
    """Refuse what two servers could read as different requests.

    Raises:
        BadRequest: the body is transferred in a way other than chunked, or it is not said once which host is asked.
    """
    if headers.get("transfer-encoding", "chunked").lower() != "chunked":
        raise BadRequest("the only Transfer-Encoding that is accepted is chunked")
    if "transfer-encoding" in headers and "content-length" in headers:
        raise BadRequest("a request has either a Content-Length or a Transfer-Encoding")
    host = headers.get("host", "")
    if version != "1" and (not host or "," in host):
        raise BadRequest("a request needs one Host")


def _query(raw: bytes) -> dict[str, tuple[str, ...]]:
    try:
        return decode_pairs(raw.decode())
    except (MalformedBody, UnicodeDecodeError) as error:
        raise BadRequest("percent escapes must spell UTF-8") from error


async def _give(send: Send, response: Response, *, closing: bool) -> None:
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in response.headers.items()]
    if closing:
        headers.append((b"connection", b"close"))
    body = b"" if response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED) else response.body
    with suppress(RuntimeError):  # the caller has left
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
