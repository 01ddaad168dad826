"""Pictures as callers have them, and request bodies made of them that can be sent more than once."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

Picture: TypeAlias = bytes | str | os.PathLike[str] | BinaryIO
"""Encoded bytes, a path, a binary file, or a text that starts with http:// or https://, which the server fetches.

A file is read from where it stands to its end, and is not closed. One that cannot seek is read into memory. Nobody else
may use it while a call runs.
"""

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes of a picture are: exactly one of the three. `start` is where a file stood."""

    data: bytes | None = None
    path: Path | None = None
    file: BinaryIO | None = None
    start: int = 0

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Return a binary file that stands where the picture begins; leaving it closes only what was opened here.

        Raises:
            OSError: there is no such file, or it cannot be read.
        """
        if self.path is not None:
            return self.path.open("rb")
        if self.file is not None:
            self.file.seek(self.start)
            return nullcontext(self.file)
        return io.BytesIO(self.data or b"")


def url_of(picture: Picture) -> str | None:
    """Return the URL that a picture is; None for everything else."""
    return picture if isinstance(picture, str) and picture.startswith(("http://", "https://")) else None


def source_of(picture: Picture) -> Source:
    """Return where the bytes of a picture are that is no URL."""
    if isinstance(picture, bytes | bytearray | memoryview):
        return Source(data=bytes(picture))
    if isinstance(picture, str | os.PathLike):
        return Source(path=Path(picture))
    if picture.seekable():
        return Source(file=picture, start=picture.tell())
    return Source(data=picture.read())


@dataclass(frozen=True, slots=True)
class Opened:
    """A body about to be sent: `length` bytes, which `chunks` gives once."""

    length: int
    segments: tuple[bytes | tuple[BinaryIO, int], ...]

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes, files chunk by chunk.

        Raises:
            OSError: a file cannot be read, or has become shorter since it was opened.
        """
        for segment in self.segments:
            if isinstance(segment, bytes):
                yield segment
                continue
            file, left = segment
            while left > 0 and (chunk := file.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk
            if left > 0:
                raise OSError("the picture became shorter while it was sent")


@dataclass(frozen=True, slots=True)
class Body:
    """A request body. It holds no open file between sendings, so it can be sent again."""

    content_type: str
    parts: tuple[bytes | Source, ...]

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """Yield the body with its files open.

        Raises:
            OSError: a file cannot be read.
        """
        with ExitStack() as files:
            segments: list[bytes | tuple[BinaryIO, int]] = []
            for part in self.parts:
                if isinstance(part, bytes):
                    segments.append(part)
                else:
                    file = files.enter_context(part.open())
                    segments.append((file, _remaining(file)))
            length = sum(len(one) if isinstance(one, bytes) else one[1] for one in segments)
            yield Opened(length, tuple(segments))


def raw_body(source: Source) -> Body:
    """Return the body that is one picture; its content decides the decoder, so its type need not be known."""
    return Body("application/octet-stream", (source,))


def frames_body(sources: Sequence[Source]) -> Body:
    """Return the multipart body of several `image` parts."""
    boundary = secrets.token_hex(16)
    parts: list[bytes | Source] = []
    for place, source in enumerate(sources):
        disposition = f'Content-Disposition: form-data; name="image"; filename="frame-{place}"'
        lead = "" if place == 0 else "\r\n"
        parts.append(f"{lead}--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n".encode())
        parts.append(source)
    parts.append(f"\r\n--{boundary}--\r\n".encode())
    return Body(f"multipart/form-data; boundary={boundary}", tuple(parts))


def _remaining(file: BinaryIO) -> int:
    here = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(here)
    return end - here
