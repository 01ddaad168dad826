"""HAR 1.2, as mitmproxy, browsers and Playwright write it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arthur.errors import BadRequest
from arthur.replay.bodies import bytes_of_text, decoded
from arthur.replay.requests import Recorded, Unusable, kept_headers, target_of

_TEXTS = ("text/", "application/json", "application/x-www-form-urlencoded")


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Pair(_Read):
    name: str
    value: str = ""


class _Data(_Read):
    mime_type: str = Field("", alias="mimeType")
    text: str = ""
    encoding: str = ""


class _Request(_Read):
    method: str
    url: str
    headers: tuple[_Pair, ...] = ()
    data: _Data | None = Field(None, alias="postData")
    size: int = Field(-1, alias="bodySize")


class _Entry(_Read):
    request: _Request


def read_har(source: Path) -> Iterator[Recorded | Unusable]:
    """Give the requests of a HAR file, which is read whole.

    Raises:
        BadRequest: it is none.
    """
    try:
        entries = json.loads(source.read_bytes())["log"]["entries"]  # orjson refuses the lone surrogates of mitmproxy
    except (ValueError, LookupError, TypeError) as error:
        raise BadRequest(f"{source}: no HAR file") from error
    if not isinstance(entries, list):
        raise BadRequest(f"{source}: no HAR file")
    for place, entry in enumerate(entries, 1):
        try:
            yield _recorded(place, _Entry.model_validate(entry).request)
        except ValidationError:
            yield Unusable(place, "no entry of a HAR file, or its text is no Unicode")


def _recorded(place: int, request: _Request) -> Recorded | Unusable:
    try:
        body = _body(request)
    except BadRequest as error:
        return Unusable(place, str(error))
    headers = kept_headers({one.name: one.value for one in request.headers})
    return Recorded(place, request.method.upper(), target_of(request.url), headers, body)


def _body(request: _Request) -> bytes:
    """Return the body's bytes. Raises BadRequest when the recorder lost them."""
    if request.data is None or request.method.upper() in ("GET", "HEAD"):
        return b""
    if request.data.encoding == "base64":
        return decoded(request.data.text)
    size = request.size if request.size > 0 else -1  # some recorders write 0 for not known
    return bytes_of_text(request.data.text, size, binary=not request.data.mime_type.startswith(_TEXTS))
