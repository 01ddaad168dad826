"""Pictures in an object store, by a server that speaks as much S3 as listing and reading need."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from arthur.errors import BadRequest, ImageTooLarge, InvalidImage, StoreError
from arthur.jobs.items import Item, Refused
from arthur.jobs.objects import open_objects, open_prefix

PAGE = 2
KEYS = (
    "other/a/e.jpg",
    "works/a/e1.jpg",
    "works/a/e1.png",
    "works/a/e2/front.jpg",
    "works/a/note.txt",
    "works/b/e3.jpg",
)
ROW = "<Contents><Key>{}</Key><LastModified>2026-11-23T00:00:00.000Z</LastModified><Size>1</Size></Contents>"


class Bucket(ThreadingHTTPServer):
    """A bucket named museum; `down` makes it fail."""

    kept: dict[str, bytes]
    down: bool

    def listed(self, asked: dict[str, str]) -> bytes:
        after = asked.get("continuation-token") or asked.get("start-after", "")
        keys = [key for key in sorted(self.kept) if key.startswith(asked["prefix"]) and key > after]
        page, more = keys[:PAGE], len(keys) > PAGE
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        top = f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}"
        return f"<ListBucketResult>{top}{''.join(map(ROW.format, page))}</ListBucketResult>".encode()


class Handler(BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        key = unquote(url.path).removeprefix("/museum").removeprefix("/")
        if self.server.down:
            self.answer(400, b"")
        elif key:
            found = self.server.kept.get(key)
            self.answer(404 if found is None else 200, found or b"")
        else:
            self.answer(200, self.server.listed({name: value[0] for name, value in parse_qs(url.query).items()}))

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
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    server = Bucket(("127.0.0.1", 0), Handler)
    server.kept, server.down = {key: key.encode() for key in KEYS}, False
    given = {"ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "REGION": "us-east-1"}
    for name, value in {**given, "ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_prefix_names_views_by_its_levels_and_is_read_on_behind_any_key(store: Bucket) -> None:
    found = list(open_prefix("s3://museum/works/"))
    assert [one.place for one in found] == ["a/e1.jpg", "a/e1.png", "a/e2/front.jpg", "b/e3.jpg"]
    first, twin, front, _ = found
    assert isinstance(first, Item)
    assert isinstance(front, Item)
    assert (front.view.hierarchical, front.where) == ("a.e2.front", "object")
    assert first.source == "s3://museum/works/a/e1.jpg"
    assert isinstance(twin, Refused)
    assert list(open_prefix("s3://museum/works", after="a/e2/front.jpg")) == found[3:]


def test_an_object_is_read_by_its_url(store: Bucket) -> None:
    read = open_objects("s3://museum/works/", 100)
    assert read("s3://museum/works/a/e1.jpg") == b"works/a/e1.jpg"
    with pytest.raises(InvalidImage, match=r"no object a/none\.jpg"):
        read("s3://museum/works/a/none.jpg")
    with pytest.raises(ImageTooLarge):
        open_objects("s3://museum/works/", 3)("s3://museum/works/a/e1.jpg")


def test_a_prefix_without_pictures_is_refused(store: Bucket) -> None:
    with pytest.raises(BadRequest, match="no pictures below"):
        open_prefix("s3://museum/nothing/")


def test_a_store_that_is_down_is_a_store_error(store: Bucket) -> None:
    store.down = True
    with pytest.raises(StoreError):
        open_prefix("s3://museum/works/")
