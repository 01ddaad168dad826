"""Claims of the object store adapter beyond the contract."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from arthur.blobs import open_blobs
from arthur.errors import ConfigError, StoreError


def test_a_folder_keeps_blobs_for_the_next_opening(tmp_path: Path) -> None:
    open_blobs(f"file://{tmp_path}/blobs").put("a/b.jpg", b"1")
    assert open_blobs(f"file://{tmp_path}/blobs").read("a/b.jpg") == b"1"
    assert (tmp_path / "blobs/a/b.jpg").read_bytes() == b"1"


def test_nothing_is_left_beside_a_blob(tmp_path: Path) -> None:
    blobs = open_blobs(f"file://{tmp_path}")
    for _ in range(3):
        blobs.put("a/b.jpg", bytes(10_000))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.jpg"]


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError):
        open_blobs(f"file://{tmp_path}/file/blobs")


def test_a_blob_below_a_blob_is_a_store_error(tmp_path: Path) -> None:
    blobs = open_blobs(f"file://{tmp_path}")
    blobs.put("a", b"1")
    with pytest.raises(StoreError):
        blobs.put("a/b", b"2")


def test_a_store_that_is_not_there_is_a_store_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_REGION", "nowhere")
        with pytest.raises(StoreError, match="did not answer"):
            open_blobs("s3://bucket/prefix").ping()
