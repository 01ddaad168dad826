"""Serves an App with Robyn 0.88. The only module that knows Robyn, and all that has to be known about it.

Robyn reads multipart bodies itself, loses parts that share a file name, and answers a malformed one with a bare 500.
It decides by the last Content-Type header it sees, and it adds the app's global *response* headers to the headers of
each request (both are kept under one type, so the later registration serves both). A global Content-Type therefore
makes it hand over the raw bytes; the caller's own header is still there, before ours. If a later version changes
this, `test_hostile.py` fails.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus

import orjson

from arthur.errors import ArthurError, BadRequest
from arthur.web.app import App, Plan, request_id, told
from arthur.web.body import decode_value
from arthur.web.http import Request, Response


@contextmanager
def _hidden_arguments() -> Iterator[None]:
    """Keep Robyn, which parses the command line whenever it can, from seeing ours."""
    whole = sys.argv
    sys.argv = whole[:1]
    try:
        yield
    finally:
        sys.argv = whole


with _hidden_arguments():
    import robyn
    from robyn.argument_parser import Config

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_RAW = "application/octet-stream"
_PROBES = 4
_SOCKETS = 64
_TOLD_EVERY_S = 0.25
_TOKEN_WITHIN_S = 5.0


class RobynServer:
    """One process' server. `in_flight` and `answered` may be read from any thread; all else belongs to the event loop.

    While `draining`, each connection is closed behind its answer.
    """

    def __init__(self, app: App, *, places: int, on_stop: Callable[[], None]) -> None:
        self._app = app
        self._places = places
        self._taken = 0
        self._sockets = 0
        self.in_flight = 0
        self.answered = 0
        self.draining = False
        self._on_stop = on_stop
        app.service.metrics.admitted(0, places)
        self._pool = ThreadPoolExecutor(places, "handler")
        self._probes = ThreadPoolExecutor(_PROBES, "probe")

    def run(self, host: str, port: int) -> None:
        """Serve until SIGINT ends the process."""
        with _hidden_arguments():
            config = Config()
        config.disable_openapi, config.log_level = True, "WARNING"
        server = robyn.Robyn(__file__, config=config)
        server.add_response_header("content-type", _RAW)
        server.add_request_header("content-type", _RAW)
        self._add_routes(server)

        async def tell_progress(websocket: robyn.WebSocketAdapter) -> None:  # Robyn writes on it: no method will do
            await self._tell_progress(websocket)

        server.websocket("/ws/index-progress")(tell_progress)
        server.shutdown_handler(self._stop)
        server.start(host=host, port=port, _check_port=False)

    def _add_routes(self, server: robyn.Robyn) -> None:
        """Register each route, and a fallback that answers what Robyn has no words for."""
        known = set()
        for route in self._app.table.routes:
            path = route.path.replace("{", ":").replace("}", "")
            for method in (route.method, "HEAD") if route.method == "GET" else (route.method,):
                known.add((method, path))
                server.add_route(method, path, self._entry)
        for method in METHODS:
            for path in ("/", "/*rest"):
                if (method, path) not in known:
                    server.add_route(method, path, self._entry)

    async def _entry(self, request: robyn.Request) -> robyn.Response:
        """Answer one request."""
        self.in_flight += 1
        try:
            return _given(await self._answer(_taken(request)), closing=self.draining)
        finally:
            self.answered += 1
            self.in_flight -= 1

    async def _answer(self, request: Request | Plan) -> Response:
        plan = request if isinstance(request, Plan) else self._app.plan(request)
        if plan.answer is not None:
            response = plan.answer
        elif plan.route is not None and not plan.route.admitted:
            response = await asyncio.get_running_loop().run_in_executor(self._probes, self._app.run, plan)
        elif self._taken >= self._places:
            response = self._app.refuse(plan)
        else:
            response = await self._admitted(plan)
        return self._app.finish(plan, response)

    async def _admitted(self, plan: Plan) -> Response:
        self._count(1)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._app.run, plan)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._taken += change
        self._app.service.metrics.admitted(self._taken, self._places)

    async def _tell_progress(self, websocket: robyn.WebSocketAdapter) -> None:
        """Send how far the newest job is at once, and again whenever that changes."""
        if self._sockets >= _SOCKETS:
            await websocket.close()  # type: ignore[no-untyped-call]  # Robyn's own gap
            return
        self._sockets += 1
        try:
            if await self._may_listen(websocket):
                await self._tell_until_closed(websocket)
        finally:
            self._sockets -= 1

    async def _may_listen(self, websocket: robyn.WebSocketAdapter) -> bool:
        """Return whether a listener may come in; where keys are demanded its first message must be one.

        Robyn shows a handler no headers of the handshake, and a key does not belong into a URL.
        """
        gate = self._app.gate
        if not gate.demands:
            return True
        try:
            gate.admit_listener(await asyncio.wait_for(websocket.receive_text(), _TOKEN_WITHIN_S))
        except (ArthurError, TimeoutError, UnicodeDecodeError, robyn.WebSocketDisconnect):
            await websocket.close()  # type: ignore[no-untyped-call]  # Robyn's own gap
            return False
        return True

    async def _tell_until_closed(self, websocket: robyn.WebSocketAdapter) -> None:
        closed = asyncio.ensure_future(_until_closed(websocket))
        try:
            await self._tell_until(closed, websocket)
        finally:
            closed.cancel()

    async def _tell_until(self, closed: asyncio.Future[None], websocket: robyn.WebSocketAdapter) -> None:
        loop, board = asyncio.get_running_loop(), self._app.service.rebuild.board
        told = None
        while not closed.done():
            try:
                state = await loop.run_in_executor(self._probes, board.newest)
            except ArthurError:
                await websocket.close()  # type: ignore[no-untyped-call]  # Robyn's own gap
                return
            if state != told:
                told = state
                await websocket.send_text(orjson.dumps(state).decode())
            await asyncio.wait({closed}, timeout=_TOLD_EVERY_S)

    def _stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._probes.shutdown(wait=False, cancel_futures=True)
        self._on_stop()


async def _until_closed(websocket: robyn.WebSocketAdapter) -> None:
    """Wait for the client to leave; what it says is not listened to."""
    try:
        while True:
            await websocket.receive_bytes()
    except robyn.WebSocketDisconnect:
        return


def _taken(request: robyn.Request) -> Request | Plan:
    """Return Robyn's request as ours; a plan with the answer if its query cannot be decoded."""
    received_at = time.monotonic()
    headers = _headers(request.headers.get_headers())  # type: ignore[attr-defined]  # missing from Robyn's stub
    ours = Request(
        method=request.method,
        path=request.url.path,
        query={},
        headers=headers,
        body=request.body.encode() if isinstance(request.body, str) else bytes(request.body),
        request_id=request_id(headers.get("x-request-id")),
        peer=request.ip_addr or "",
        received_at=received_at,
    )
    try:
        return replace(ours, query=_query(request.query_params.to_dict()))
    except BadRequest as error:
        return Plan(ours, answer=told(ours, error))


def _headers(given: Mapping[str, list[str]]) -> dict[str, str]:
    """Join repeated headers, without the Content-Type that we added ourselves."""
    headers = {name.lower(): values for name, values in given.items()}
    if headers.get("content-type", [""])[-1] == _RAW:
        headers["content-type"] = headers["content-type"][:-1]
    return {name: ", ".join(values) for name, values in headers.items() if values}


def _query(given: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Decode the query, which Robyn splits but does not decode."""
    query: dict[str, tuple[str, ...]] = {}
    for name, values in given.items():
        name = decode_value(name)
        query[name] = (*query.get(name, ()), *(decode_value(value) for value in values))
    return query


def _given(response: Response, *, closing: bool) -> robyn.Response:
    """Return our answer as Robyn's. Without a Content-Type it would send the global one."""
    headers = {"content-type": "text/plain; charset=utf-8", **response.headers}
    if closing:
        headers["connection"] = "close"
    body = b"" if response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED) else response.body
    return robyn.Response(response.status, robyn.Headers(headers), body)
