"""Recordings: a HAR file, JSON lines, an access log beside a folder of pictures, or such a folder alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from arthur.errors import BadRequest
from arthur.replay.bodies import picture_form
from arthur.replay.har import read_har
from arthur.replay.lines import read_lines
from arthur.replay.requests import Recorded, Unusable

Read = Iterator[Recorded | Unusable]

_PICTURES = (".png", ".jpg", ".jpeg", ".tiff", ".tif", ".bmp", ".gif", ".webp", ".heic", ".heif", ".avif")
_LOGGED = re.compile(r'"(?P<method>[A-Z]+) (?P<target>/\S*) HTTP/[\d.]+" (?P<status>\d{3})')


def read_recording(source: Path, *, pictures: Path | None = None) -> Read:
    """Give the requests of a recording in its order, and what of it cannot be sent.

    Args:
        source: a `.har` file, a `.jsonl` file, an access log (`.log`, as nginx or Apache write it), or a folder of
            pictures, each of which becomes one `POST /match`.
        pictures: for an access log, which holds no bodies: each recognition takes the next picture of this folder.

    Raises:
        BadRequest: it is none of these, or not readable as what its name says.
    """
    if source.is_dir():
        return _folder(source)
    if not source.is_file():
        raise BadRequest(f"{source}: no such recording")
    kind = source.suffix.lower()
    if kind == ".har":
        return read_har(source)
    if kind == ".jsonl":
        return read_lines(source)
    if kind == ".log":
        if pictures is None:
            raise BadRequest("an access log holds no pictures; name a folder of them with --pictures")
        return _log(source, pictures)
    raise BadRequest(f"{source}: a recording is a .har, .jsonl or .log file, or a folder of pictures")


def _folder(folder: Path) -> Read:
    for place, picture in enumerate(_pictures_of(folder), 1):
        yield _match(place, "/match", picture)


def _log(source: Path, pictures: Path) -> Read:
    turn = itertools.cycle(_pictures_of(pictures))
    with source.open(encoding="utf-8", errors="replace") as lines:
        for place, line in enumerate(lines, 1):
            logged = _LOGGED.search(line)
            if logged is None:
                yield Unusable(place, "no request line of the combined log format")
                continue
            request = Recorded(place, logged["method"], logged["target"])
            if request.is_match:
                yield _match(place, request.target, next(turn))
            elif request.method in ("GET", "HEAD"):
                yield request
            else:
                yield Unusable(place, "a log holds no bodies")


def _match(place: int, target: str, picture: Path) -> Recorded:
    content_type, body = picture_form("imgFile", picture.name, picture.read_bytes())
    return Recorded(place, "POST", target, {"content-type": content_type}, body)


def _pictures_of(folder: Path) -> list[Path]:
    """Return the pictures below a folder in order of their names.

    Raises:
        BadRequest: there are none.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES and path.is_file())
    if not found:
        raise BadRequest(f"{folder}: no pictures in it")
    return found
