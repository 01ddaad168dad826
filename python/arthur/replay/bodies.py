"""Bodies of recorded requests: multipart ones put together again, and bytes that a recorder kept as text."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable

from arthur.errors import BadRequest


def form_body(parts: Iterable[tuple[str, str | None, str | None, bytes]]) -> tuple[str, bytes]:
    """Return Content-Type and bytes of a multipart body of (name, file name, content type, bytes).

    The boundary follows from the content, so that a recording always gives the same bytes.
    """
    framed = [(_part_head(name, filename, content_type), data) for name, filename, content_type, data in parts]
    digest = hashlib.sha256(b"".join(head + data for head, data in framed)).hexdigest()
    boundary = f"replay-{digest[:32]}".encode()
    body = b"".join(b"--" + boundary + b"\r\n" + head + data + b"\r\n" for head, data in framed)
    return f"multipart/form-data; boundary={boundary.decode()}", body + b"--" + boundary + b"--\r\n"


def picture_form(name: str, filename: str, data: bytes) -> tuple[str, bytes]:
    """Return Content-Type and bytes of a multipart body with one picture."""
    return form_body([(name, filename, "application/octet-stream", data)])


def decoded(text: str) -> bytes:
    """Decode standard base64.

    Raises:
        BadRequest: it is not.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("a body that should be base64 is not") from error


def bytes_of_text(text: str, size: int, *, binary: bool) -> bytes:
    """Return the bytes that a recorder kept as text, which it may have read as Latin-1 or as UTF-8.

    `size` is the length it noted, or -1 if it noted none; `binary` says which reading goes first when both fit.

    Raises:
        BadRequest: the bytes are lost, as with browsers that put U+FFFD for what is no text.
    """
    encodings = ("latin-1", "utf-8") if binary else ("utf-8", "latin-1")
    candidates = (_encoded(text, encoding) for encoding in encodings)
    fitting = [one for one in candidates if one is not None and size in (-1, len(one))]
    if not fitting or "\ufffd" in text:
        raise BadRequest("the recorder did not keep the bytes of this body; record with mitmproxy, or as JSON lines")
    return fitting[0]


def _encoded(text: str, encoding: str) -> bytes | None:
    try:
        return text.encode(encoding, errors="surrogateescape")
    except UnicodeEncodeError:
        return None


def _part_head(name: str, filename: str | None, content_type: str | None) -> bytes:
    """Return the head of a part; quotes and line ends in names are escaped as browsers do it."""
    disposition = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if filename is not None:
        disposition += f'; filename="{_quoted(filename)}"'
    kind = f"\r\nContent-Type: {content_type}" if content_type else ""
    return f"{disposition}{kind}\r\n\r\n".encode()


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
