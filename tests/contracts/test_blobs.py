"""Laws of every Blobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from arthur.blobs import Blobs, open_blobs
from arthur.errors import BadRequest, ConfigError

URLS = {"file": "file://{folder}/made/blobs 100%", "memory": "memory:///"}


@pytest.fixture(params=list(URLS))
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return open_blobs(URLS[request.param].format(folder=tmp_path))


def test_a_missing_blob_is_none(blobs: Blobs) -> None:
    assert blobs.read("thumbnails/ab/missing.jpg") is None


@pytest.mark.parametrize("data", [b"", b"\0\xff" * 10, bytes(6 * 2**20)], ids=["empty", "small", "large"])
def test_bytes_come_back(blobs: Blobs, data: bytes) -> None:
    blobs.put("originals/ab/1", data)
    read = blobs.read("originals/ab/1")
    assert type(read) is bytes
    assert read == data


def test_put_replaces(blobs: Blobs) -> None:
    blobs.put("a/b.jpg", b"a long old value")
    blobs.put("a/b.jpg", b"new")
    assert blobs.read("a/b.jpg") == b"new"


def test_remove_removes_that_blob_only(blobs: Blobs) -> None:
    blobs.put("a/b", b"1")
    blobs.put("a/c", b"2")
    blobs.remove("a/b")
    assert blobs.read("a/b") is None
    assert blobs.read("a/c") == b"2"


def test_removing_a_missing_blob_is_no_error(blobs: Blobs) -> None:
    blobs.remove("a/missing")


def test_an_open_store_answers(blobs: Blobs) -> None:
    blobs.ping()


STRANGE_NAMES = (
    *("", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/./b", ".hidden", "-a", "a/-b"),
    *("a\\b", "a\0b", "a b", "%2e%2e/a", "é", "a\n", "\ud800", "a" * 513),
)


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_name_of_another_form_is_refused(blobs: Blobs, name: str) -> None:
    for use in (blobs.read, blobs.remove, lambda wrong: blobs.put(wrong, b"")):
        with pytest.raises(BadRequest, match="name"):
            use(name)


def test_readers_see_whole_blobs_only(blobs: Blobs) -> None:
    values = [bytes([i]) * 200_000 for i in range(20)]
    blobs.put("a", values[0])
    with ThreadPoolExecutor(4) as threads:
        writes = [threads.submit(blobs.put, "a", value) for value in values]
        reads = [threads.submit(blobs.read, "a") for _ in values]
    assert all(write.result() is None for write in writes)
    assert {read.result() for read in reads} <= set(values)


@pytest.mark.parametrize("url", ["", "file://relative", "file:relative", "ftp://host/x", "s3://", "nonsense"])
def test_an_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="blob store URL"):
        open_blobs(url)
