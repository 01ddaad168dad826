"""A false embedding service on a Unix socket: it describes itself well, and answers what a test tells it to."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from arthur.encode.spec import EngineSpec
from arthur.encode.wire import describe

SPEC = EngineSpec("fake", 4, "stretch", 3, "ab" * 32)
VECTORS = b"\0\0\x80?" * 3

Script = Callable[["Rogue"], bytes | None]


def reply(
    body: bytes = VECTORS, *, status: str = "200 OK", length: int | None = None, engine: str = "ab" * 32
) -> bytes:
    """Return an HTTP answer."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nArthur-Engine: {engine}\r\n\r\n".encode() + body


class Rogue:
    """What the service is: `embed` returns the bytes to be sent, or None to break off; `asked` counts its calls."""

    def __init__(self, path: Path, embed: Script) -> None:
        self.url = f"unix:{path}"
        self.embed = embed
        self.asked = 0
        self.ready = True
        self.spec = SPEC
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def hang_up(self) -> None:
        """Close every connection, as a service does with those that are idle for long."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            while line := stream.readline():
                length = 0
                while (header := stream.readline().lower().strip()) != b"":
                    length = int(header.split(b":")[1]) if header.startswith(b"content-length") else length
                stream.read(length)
                answer = self._answer(line.split()[1])
                if answer is None:
                    return
                connection.sendall(answer)

    def _answer(self, path: bytes) -> bytes | None:
        if path == b"/v1/engine":
            return reply(describe(self.spec, batch_max=4, text=True).model_dump_json().encode())
        if path == b"/readyz":
            return reply(b"{}", status="200 OK" if self.ready else "503 Service Unavailable")
        self.asked += 1
        return self.embed(self)


@contextmanager
def rogues(*scripts: Script) -> Iterator[list[Rogue]]:
    """Run a service for each script."""
    with tempfile.TemporaryDirectory(prefix="emb") as folder:
        running = [Rogue(Path(folder) / str(number), script) for number, script in enumerate(scripts)]
        yield running
        for one in running:
            one.close()
