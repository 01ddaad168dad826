"""A backup in an object store, by a server that speaks as much S3 as that needs."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from arthur.backup.backing import BackedUp, Holding, back_up
from arthur.backup.place import open_place
from arthur.backup.restoring import Target, restore
from arthur.errors import StoreError
from tests.backups import Estate, contents_at, silent

PLACE = "s3://museum/nightly"
PAGE = 3
DATE = "2026-11-23T00:00:00.000Z"


class Bucket(ThreadingHTTPServer):
    """A bucket named museum; `full` makes it refuse what is put."""

    kept: dict[str, bytes]
    full: bool

    def listed(self, asked: dict[str, list[str]]) -> str:
        after = asked.get("continuation-token", [""])[0]
        keys = [key for key in sorted(self.kept) if key.startswith(asked["prefix"][0]) and key > after]
        page, more = keys[:PAGE], len(keys) > PAGE
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        rows = (
            f"<Contents><Key>{key}</Key><LastModified>{DATE}</LastModified><Size>{len(self.kept[key])}</Size></Contents>"
            for key in page
        )
        top = f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}"
        return f"<ListBucketResult>{top}{''.join(rows)}</ListBucketResult>"


class Handler(BaseHTTPRequestHandler):
    server: Bucket

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/museum").removeprefix("/")

    @property
    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self) -> None:
        if self.key:
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


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    server = Bucket(("127.0.0.1", 0), Handler)
    server.kept, server.full = {"other/objects/ab/mine": b"1"}, False
    given = {"ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "REGION": "us-east-1"}
    for name, value in {**given, "ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def backed_up(estate: Estate) -> BackedUp:
    return back_up(Holding(estate.database, estate.blobs, estate.data), open_place(PLACE), silent)


def test_a_bucket_keeps_the_newest_backup_and_nothing_else(estate: Estate, bucket: Bucket, target: Target) -> None:
    assert backed_up(estate).written == 7
    estate.catalog.remove("a0")
    estate.enrol(1)
    assert backed_up(estate).written == 4
    assert len(bucket.kept) == 1 + 7 + 1
    restore(open_place(PLACE), target, silent)
    assert contents_at(target.catalog_url, target.data / "blobs")[0] == estate.contents()[0]


def test_a_bucket_that_refuses_keeps_the_backup_before(estate: Estate, bucket: Bucket) -> None:
    backed_up(estate)
    estate.enrol(1)
    bucket.full, before = True, dict(bucket.kept)
    with pytest.raises(StoreError, match="cannot be read or written"):
        backed_up(estate)
    assert bucket.kept == before
    assert open_place(PLACE).manifest().sequence == 3


def test_an_object_that_is_missing_is_refused(estate: Estate, bucket: Bucket, target: Target) -> None:
    backed_up(estate)
    del bucket.kept[max(key for key in bucket.kept if key.startswith("nightly/objects"))]
    with pytest.raises(StoreError, match="is missing"):
        restore(open_place(PLACE), target, silent)
    assert not target.data.exists()
