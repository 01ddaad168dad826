"""Connections that go to checked addresses only, and end at a deadline."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator

import httpcore
import httpx


def seconds_left(deadline: float) -> float:
    """Return the seconds left, never less than none."""
    return max(0.001, deadline - time.monotonic())


class CheckedBackend(httpcore.SyncBackend):
    """Connects to checked addresses only, and lets no step outlast the deadline."""

    def __init__(self, addresses: Callable[[str, int], list[str]], deadline: float) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # the deadline is stricter
        local_address: str | None = None,
        socket_options: object = None,  # none are asked for
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers. See httpcore.NetworkBackend."""
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses(host, port):
            try:
                stream = super().connect_tcp(address, port, seconds_left(self._deadline), local_address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def connect_unix_socket(self, *_: object, **__: object) -> httpcore.NetworkStream:
        """Refuse: a URL names no socket of this machine."""
        raise httpcore.ConnectError("not a network address")


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every read and write ends at the deadline, so that drops of bytes cannot outlast it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def _remaining(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("it took too long")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # the deadline is stricter
        return self._stream.read(max_bytes, self._remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # the deadline is stricter
        self._stream.write(buffer, self._remaining())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # the deadline is stricter
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._remaining())
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class PoolTransport(httpx.BaseTransport):
    """Lets httpx speak through an httpcore pool with a network of our own."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. See httpx.BaseTransport."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        body = request.stream if isinstance(request.stream, httpx.SyncByteStream) else None
        headers = request.headers.raw
        asked = httpcore.Request(request.method, url, headers=headers, content=body, extensions=request.extensions)
        answer = self._pool.handle_request(asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
