"""A bucket of an object store: a server in this process that speaks as much S3 as listing, reading and writing need."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

NAME = "museum"
PAGE = 2
ROW = "<Contents><Key>{}</Key><LastModified>2026-11-23T00:00:00.000Z</LastModified><Size>{}</Size></Contents>"


class Bucket(ThreadingHTTPServer):
    """A bucket named museum. `full` makes it refuse what is put, `down` everything."""

    kept: dict[str, bytes]
    full = False
    down = False

    def listed(self, asked: dict[str, list[str]]) -> str:
        """Return a page of the keys below a prefix."""
        after = (asked.get("continuation-token") or asked.get("start-after") or [""])[0]
        keys = [key for key in sorted(self.kept) if key.startswith(asked["prefix"][0]) and key > after]
        page, more = keys[:PAGE], len(keys) > PAGE
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        rows = (ROW.format(key, len(self.kept[key])) for key in page)
        top = f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}"
        return f"<ListBucketResult>{top}{''.join(rows)}</ListBucketResult>"


class Handler(BaseHTTPRequestHandler):
    server: Bucket

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{NAME}").removeprefix("/")

    @property
    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self) -> None:
        if self.server.down:
            self.answer(400, b"")
        elif self.key:
            found = self.server.kept.get(self.key)
            self.answer(404 if found is None else 200, found or b"")
        else:
            self.answer(200, self.server.listed(parse_qs(urlsplit(self.path).query)).encode())

    def do_PUT(self) -> None:
        body = self.body
        if not self.server.full:
            self.server.kept[self.key] = body
        self.answer(403 if self.server.full else 200, b"")

    def do_POST(self) -> None:
        keys = re.findall(r"<Key>(.*?)</Key>", self.body.decode())
        for key in keys:
            del self.server.kept[key]
        gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self.answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        headers = {"Content-Length": len(body), "ETag": '"x"', "Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT"}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(kept: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Serve a bucket that holds `kept`, and name it in the environment as the store of `s3:` URLs."""
    server = Bucket(("127.0.0.1", 0), Handler)
    server.kept = dict(kept)
    given = {"ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "REGION": "us-east-1"}
    for name, value in {**given, "ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
