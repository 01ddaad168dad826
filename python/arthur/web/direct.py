"""The App served by Granian, for whoever stands in the open.

By ASGI: Granian's RSGI decodes paths, after which `a%2Fb` and `a/b` are the same, and takes a broken chunk for the end
of a body.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from threading import Event

import structlog
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from arthur.web.app import App
from arthur.web.asgi import AsgiApp
from arthur.web.desk import Desk
from arthur.web.listening import Listening

log = structlog.get_logger(__name__)

_HEAD_MS = 20_000
_HEAD_BYTES = 2**16
_CONNECTIONS = 4096
_POLL_S = 0.01


class GranianWebServer:
    """See worker.Server. Who is silent for 20 seconds in the middle of a head, or between two, is disconnected."""

    def __init__(self, app: App, *, places: int, on_stop: Callable[[], None]) -> None:
        self._desk = Desk(app, places=places)
        self._listening = Listening(app, self._desk.probes)
        self._app = AsgiApp(app, self._desk, self._listening)
        self._settings = app.service.settings
        self._on_stop = on_stop
        self._stop: Callable[[], object] = self._exit
        self._ended = Event()

    def run(self, host: str, port: int) -> None:
        """See Server.run."""
        asyncio.run(self._serve(host, port))
        self._ended.set()
        self._exit()

    def drain(self, drain_s: float) -> None:
        """See Server.drain. Granian lets each request end, and closes connections that have none."""
        self._app.draining = True
        self._listening.end()
        self._stop()
        if not self._ended.wait(drain_s):
            log.warning("drain_ended_early", in_flight=self._desk.in_flight, drain_s=drain_s)
            self._exit()

    def _exit(self) -> None:
        self._desk.close()
        self._on_stop()
        os._exit(0)  # handlers that did not end in time would keep the process, and Granian's futures abort it

    async def _serve(self, host: str, port: int) -> None:
        settings = self._settings
        server = Server(
            self._app,
            address=host,
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=_HEAD_MS, max_buffer_size=_HEAD_BYTES),
            backlog=1024,
            backpressure=_CONNECTIONS,
            log_level=LogLevels.error,
            ssl_cert=settings.tls_cert,
            ssl_key=settings.tls_key,
            ssl_protocol_min=SSLProtocols.tls12,  # older clients of version 1 know no later one
        )
        loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(server.stop)
        await server.serve()
        while self._desk.in_flight:  # whose callers have left, so that Granian did not wait: it ends all the same
            await asyncio.sleep(_POLL_S)
