"""The WebSocket that tells how far the newest job is, whichever server keeps the connection."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Protocol

import orjson

from arthur.errors import ArthurError
from arthur.web.app import App

PATH = "/ws/index-progress"
_SOCKETS = 64
_TOLD_EVERY_S = 0.25
_TOKEN_WITHIN_S = 5.0


class Left(Exception):
    """The other end of a socket is gone."""


class Socket(Protocol):
    """One accepted connection."""

    async def receive(self) -> str:
        """Return the next message; "" for one that is no text.

        Raises:
            Left: the listener is gone.
        """
        ...

    async def send(self, text: str) -> None:
        """Send a message.

        Raises:
            Left: the listener is gone.
        """
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class Listening:
    """All listeners of a process. Belongs to one event loop; after `end` they are let go."""

    def __init__(self, app: App, threads: Executor) -> None:
        self._app = app
        self._threads = threads
        self._sockets = 0
        self._ended = False

    def end(self) -> None:
        """Let all listeners go, as the server stops. Callable from any thread."""
        self._ended = True

    async def tell(self, socket: Socket) -> None:
        """Send how far the newest job is at once, and again whenever that changes, until the listener leaves."""
        if self._sockets >= _SOCKETS:
            await socket.close()
            return
        self._sockets += 1
        try:
            if await self._may_listen(socket):
                await self._tell_until_closed(socket)
        finally:
            self._sockets -= 1

    async def _may_listen(self, socket: Socket) -> bool:
        """Return whether a listener may come in; where keys are demanded its first message must be one.

        Browsers send no headers of ours with a handshake, and a key does not belong into a URL.
        """
        gate = self._app.gate
        if not gate.demands:
            return True
        try:
            gate.admit_listener(await asyncio.wait_for(socket.receive(), _TOKEN_WITHIN_S))
        except (ArthurError, TimeoutError):
            await socket.close()
            return False
        except Left:
            return False
        return True

    async def _tell_until_closed(self, socket: Socket) -> None:
        closed = asyncio.ensure_future(_until_closed(socket))
        try:
            await self._tell_until(closed, socket)
        except Left:
            return
        finally:
            closed.cancel()
        if not closed.done():
            await socket.close()

    async def _tell_until(self, closed: asyncio.Future[None], socket: Socket) -> None:
        loop, board = asyncio.get_running_loop(), self._app.service.rebuild.board
        told = None
        while not closed.done() and not self._ended:
            try:
                state = await loop.run_in_executor(self._threads, board.newest)
            except ArthurError:
                return
            if state != told:
                told = state
                await socket.send(orjson.dumps(state).decode())
            await asyncio.wait({closed}, timeout=_TOLD_EVERY_S)


async def _until_closed(socket: Socket) -> None:
    """Wait for the client to leave; what it says is not listened to."""
    try:
        while True:
            await socket.receive()
    except Left:
        return
