"""A hub on this machine: repositories of files behind the few answers that `huggingface_hub` asks for."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c" * 40


@dataclass
class Hub:
    """What the server offers and what it was asked.

    Attributes:
        folder: holds `owner/name/file`.
        breaks: connections that break off in the middle of a file before one goes through.
        ranges: the `Range` of every download, "" where there was none.
    """

    folder: Path
    url: str = ""
    breaks: int = 0
    ranges: list[str] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    hub: Hub


class Handler(BaseHTTPRequestHandler):
    """Answers `/owner/name/resolve/revision/file`; every revision is the same commit."""

    server: _Server

    def do_HEAD(self) -> None:
        content = self._content()
        if content is not None:
            self._begin(200, content, len(content))

    def do_GET(self) -> None:
        content = self._content()
        if content is None:
            return
        self.server.hub.ranges.append(wanted := self.headers.get("Range", ""))
        start = int(wanted.removeprefix("bytes=").removesuffix("-") or 0)
        self._begin(206 if wanted else 200, content, len(content) - start, start)
        if self.server.hub.breaks and len(content) > 10_000:
            self.server.hub.breaks -= 1
            self.wfile.write(content[start : start + (len(content) - start) // 2])
            self.close_connection = True
        else:
            self.wfile.write(content[start:])

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _content(self) -> bytes | None:
        owner, name, _, _, file = self.path.removeprefix("/").split("/", 4)
        path = self.server.hub.folder / owner / name / file
        if path.is_file():
            return path.read_bytes()
        known = path.parent.is_dir()
        self.send_response(404)
        self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def _begin(self, status: int, content: bytes, length: int, start: int = 0) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(length))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    """Serve the repositories below `folder`."""
    with _Server(("127.0.0.1", 0), Handler) as server:
        server.hub = Hub(folder, f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.hub
        finally:
            server.shutdown()
            thread.join()
