"""Bodies: multipart, urlencoded and JSON, each read strictly, with bounded memory and our own errors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import orjson
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from arthur.errors import BadRequest, ImageTooLarge
from arthur.types import JsonValue
from arthur.web.http import MalformedBody, Request

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
MAX_DEPTH = 64
"""Levels of nesting in a JSON body; metadata may use half of them."""
MAX_MEMBERS = 500_000
"""Commas and opening brackets in a JSON body, those in texts too."""
_MAX_PARTS = 256
_MAX_FIELD_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part. `filename` is as sent and names nothing on this machine."""

    filename: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and files by name, each in the order sent."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, tuple[Upload, ...]] = field(default_factory=dict)


def check_length(request: Request) -> None:
    """Refuse a body that ended early; the server hands those over as if they were whole.

    Raises:
        BadRequest: the declared length is not the body's, or the body is compressed.
    """
    declared = request.headers.get("content-length")
    if declared is not None and declared != str(len(request.body)):
        raise BadRequest(f"the body has {len(request.body)} bytes, but Content-Length says {declared}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadRequest("compressed bodies are not accepted")


def check_size(request: Request, max_bytes: int) -> None:
    """Refuse a body beyond its limit.

    Raises:
        ImageTooLarge: it is.
    """
    if len(request.body) > max_bytes:
        raise too_large(max_bytes)


def read_form(request: Request, max_file_bytes: int) -> Form:
    """Read a multipart or urlencoded body; any other is an empty form.

    Raises:
        MalformedBody: the body is not what its Content-Type says.
        ImageTooLarge: a file is longer than `max_file_bytes`.
    """
    if request.media_type == MULTIPART:
        return _multipart(request, max_file_bytes)
    if request.media_type == URLENCODED:
        return Form(fields=decode_pairs(_text(request.body)))
    return Form()


def decode_pairs(encoded: str) -> dict[str, tuple[str, ...]]:
    """Decode `name=value&...`.

    Raises:
        MalformedBody: an escape does not spell UTF-8.
    """
    pairs: dict[str, tuple[str, ...]] = {}
    for pair in encoded.split("&"):
        name, _, value = pair.partition("=")
        if pair:
            try:
                name, value = decode_value(name), decode_value(value)
            except BadRequest as error:
                raise MalformedBody(str(error), kind="encoding_invalid") from error
            pairs[name] = (*pairs.get(name, ()), value)
    return pairs


def decode_value(encoded: str) -> str:
    """Decode `+` and percent escapes once.

    Raises:
        BadRequest: an escape does not spell UTF-8.
    """
    try:
        return unquote_plus(encoded, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("percent escapes must spell UTF-8") from error


def json_object(request: Request) -> dict[str, JsonValue]:
    """Read a body that must be a JSON object.

    Raises:
        MalformedBody: it is not JSON, not an object, nested deeper than `MAX_DEPTH`, or has too many members.
    """
    _check_members(request.body)
    try:
        value = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(
            f"JSON decode error: {error.msg}", kind="json_invalid", where=("body", error.pos)
        ) from error
    if not isinstance(value, dict):
        raise MalformedBody("Input should be a valid dictionary", kind="dict_type")
    _check_depth(value)
    return value


def decode_base64(text: str, max_bytes: int) -> bytes:
    """Decode standard base64, also from a data URL.

    Raises:
        BadRequest: it is not base64.
        ImageTooLarge: it is longer than `max_bytes`.
    """
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if len(text) > 4 * (max_bytes // 3 + 1):
        raise too_large(max_bytes)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("image_base64 is not valid base64") from error


def too_large(max_bytes: int) -> ImageTooLarge:
    """Return the error for a picture or body beyond its limit."""
    return ImageTooLarge(f"larger than the limit of {max_bytes} bytes")


def _multipart(request: Request, max_file_bytes: int) -> Form:
    _, options = parse_options_header(request.headers["content-type"])
    fields: dict[str, list[str]] = {}
    files: dict[str, list[Upload]] = {}
    boundary = options.get("boundary", "")
    try:
        with PushMultipartParser(boundary, max_segment_count=_MAX_PARTS, max_header_size=8192, strict=True) as parser:
            for segment, data in _segments(parser, request.body):
                _file_or_field(segment, data, max_file_bytes, fields, files)
    except MultipartError as error:
        raise _malformed(str(error)) from error
    last = f"\r\n--{boundary}--".encode()
    end = request.body.find(last)
    if end >= 0 and request.body[end + len(last) :].strip():
        raise _malformed("data after the last part")  # a part there would be lost without a word
    return Form({k: tuple(v) for k, v in fields.items()}, {k: tuple(v) for k, v in files.items()})


def _check_members(body: bytes) -> None:
    """Refuse JSON whose objects would take far more memory than its bytes: each comma or bracket is at most one."""
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_MEMBERS:
        raise MalformedBody(f"JSON has more than {MAX_MEMBERS} members", kind="json_invalid")


def _check_depth(value: JsonValue) -> None:
    level: list[JsonValue] = [value]
    for _ in range(MAX_DEPTH):
        level = [one for outer in level if isinstance(outer, dict | list) for one in _inner(outer)]
        if not level:
            return
    raise MalformedBody(f"JSON is nested deeper than {MAX_DEPTH}", kind="json_invalid")


def _inner(outer: dict[str, JsonValue] | list[JsonValue]) -> Iterable[JsonValue]:
    return outer.values() if isinstance(outer, dict) else outer


def _malformed(why: str) -> MalformedBody:
    return MalformedBody(f"malformed multipart body: {why}", kind="multipart_invalid")


def _segments(parser: PushMultipartParser, body: bytes) -> list[tuple[MultipartSegment, bytes]]:
    """Return the parts with their bytes. The parser sees the body at once, so that a part is one slice of it."""
    whole: list[tuple[MultipartSegment, bytes]] = []
    chunks: list[bytes] = []
    segment: MultipartSegment | None = None
    for event in parser.parse(body):
        if isinstance(event, MultipartSegment):
            segment, chunks = event, []
        elif event is not None:
            chunks.append(bytes(event))
        elif segment is not None:
            whole.append((segment, chunks[0] if len(chunks) == 1 else b"".join(chunks)))
    return whole


def _file_or_field(
    segment: MultipartSegment,
    data: bytes,
    max_file_bytes: int,
    fields: dict[str, list[str]],
    files: dict[str, list[Upload]],
) -> None:
    """File a part under its name: with a file name it is a file, without one it is a text field."""
    name = segment.name or ""
    if segment.filename is not None:
        if len(data) > max_file_bytes:
            raise too_large(max_file_bytes)
        files.setdefault(name, []).append(Upload(segment.filename, data))
    elif len(data) > _MAX_FIELD_BYTES and name not in ("image_base64",):
        raise too_large(_MAX_FIELD_BYTES)
    else:
        fields.setdefault(name, []).append(_text(data))


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody("text must be UTF-8", kind="encoding_invalid") from error
