"""Serves an App with Robyn 0.88. The only module that knows Robyn, and all that has to be known about it.

Robyn reads multipart bodies itself, loses parts that share a file name, and answers a malformed one with a bare 500.
It decides by the last Content-Type header it sees, and it adds the app's global *response* headers to the headers of
each request (both are kept under one type, so the later registration serves both). A global Content-Type therefore
makes it hand over the raw bytes; the caller's own header is still there, before ours. If a later version changes
this, `test_hostile.py` fails.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus

from arthur.errors import BadRequest
from arthur.web.app import App, Plan, request_id, told
from arthur.web.body import decode_value
from arthur.web.desk import Desk
from arthur.web.http import Request, Response
from arthur.web.listening import PATH, Left, Listening
from arthur.web.sockets import wait_until_quiet


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


class RobynServer:
    """See worker.Server. While it drains, each connection is closed behind its answer."""

    def __init__(self, app: App, *, places: int, on_stop: Callable[[], None]) -> None:
        self._app = app
        self._desk = Desk(app, places=places)
        self._listening = Listening(app, self._desk.probes)
        self._draining = False
        self._on_stop = on_stop

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
            await self._listening.tell(_Socket(websocket))

        server.websocket(PATH)(tell_progress)
        server.shutdown_handler(self._stop)
        server.start(host=host, port=port, _check_port=False)

    def drain(self, drain_s: float) -> None:
        """See worker.Server.drain.

        Robyn does not end on SIGTERM. On SIGINT it ends at once and drops what is in flight, so that comes last, and
        only after the last answer has left.
        """
        self._draining = True
        self._listening.end()
        wait_until_quiet(self._desk, drain_s)
        os.kill(os.getpid(), signal.SIGINT)

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
        with self._desk.visit():
            taken = _taken(request)
            plan = taken if isinstance(taken, Plan) else self._app.plan(taken)
            return _given(await self._desk.answer(plan), closing=self._draining)

    def _stop(self) -> None:
        self._desk.close()
        self._on_stop()


class _Socket:
    """See listening.Socket."""

    def __init__(self, websocket: robyn.WebSocketAdapter) -> None:
        self._websocket = websocket

    async def receive(self) -> str:
        """See Socket.receive."""
        try:
            return str(await self._websocket.receive_text())
        except UnicodeDecodeError:
            return ""
        except robyn.WebSocketDisconnect as error:
            raise Left from error

    async def send(self, text: str) -> None:
        """See Socket.send."""
        await self._websocket.send_text(text)

    async def close(self) -> None:
        """See Socket.close."""
        await self._websocket.close()  # type: ignore[no-untyped-call]  # Robyn's own gap


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
