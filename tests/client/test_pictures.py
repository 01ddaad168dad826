"""Bodies: streamed from disk, and the same each time they are sent."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from arthur.client.pictures import Body, Source, frames_body, raw_body, source_of

MIB = 2**20


def sent(body: Body) -> bytes:
    with body.open() as opened:
        data = b"".join(opened.chunks())
        assert len(data) == opened.length
    return data


def test_a_big_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    with (tmp_path / "photo").open("wb") as file:
        file.truncate(64 * MIB)
    tracemalloc.start()
    with raw_body(Source(path=tmp_path / "photo")).open() as opened:
        length = sum(len(chunk) for chunk in opened.chunks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (length, peak < 2 * MIB) == (64 * MIB, True)


@given(before=st.binary(), data=st.binary())
def test_a_file_can_be_sent_twice_from_where_it_stood(before: bytes, data: bytes) -> None:
    file = io.BytesIO(before + data)
    file.seek(len(before))
    body = raw_body(source_of(file))
    assert [sent(body), sent(body)] == [data, data]


@given(st.lists(st.binary(), min_size=2, max_size=4))
def test_each_frame_is_one_part(frames: list[bytes]) -> None:
    body = frames_body([source_of(frame) for frame in frames])
    boundary = body.content_type.rpartition("boundary=")[2].encode()
    parts = sent(body).split(b"--" + boundary)
    assert [part.partition(b"\r\n\r\n")[2][:-2] for part in parts[1:-1]] == frames
