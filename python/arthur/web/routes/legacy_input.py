"""What v1 clients send: a URL or a file, in JSON, a form or a multipart body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from arthur.errors import BadRequest
from arthur.types import JsonValue
from arthur.web.body import Form, Upload, json_object, read_form
from arthur.web.http import JSON, MalformedBody, Request
from arthur.web.service import Service

INVALID_URL = "Invalid image url"
INVALID_FILE = "Invalid image file"
NO_IMAGE = "No image provided"
INVALID_PARAMETERS = "Invalid request parameters"

_URL = re.compile(
    r"https?://"
    r"(?:(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}\.?|xn--[a-z0-9-]{1,59}\.?)"
    r"|localhost|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})"
    r"(?::\d{1,5})?(?:/?|[/?]\S+)",
    re.IGNORECASE,
)
_NAMES = (".png", ".jpg", ".jpeg", ".tiff", ".bmp", ".gif", ".tif", ".webp", ".heic", ".heif", ".avif")


@dataclass(frozen=True, slots=True)
class LegacyBody:
    """A body of whichever kind. `members` are those of JSON, `form` the fields and files of the others."""

    members: Mapping[str, JsonValue] = field(default_factory=dict)
    form: Form = field(default_factory=Form)

    def text(self, name: str) -> str:
        """Return a field or member that must be text; "" when it is missing or null.

        Raises:
            MalformedBody: it is not text.
        """
        value = self.members.get(name) or ""
        if not isinstance(value, str):
            raise not_text(name)
        return value or next(iter(self.form.fields.get(name, ())), "")


def read_body(request: Request, max_file_bytes: int) -> LegacyBody:
    """Read a body by its Content-Type; JSON also goes without one.

    Raises:
        MalformedBody: it is not what it says it is.
        ImageTooLarge: a file is beyond the limit.
    """
    unnamed_json = request.media_type == "" and request.body.lstrip()[:1] == b"{"
    if request.body and (request.media_type == JSON or unnamed_json):
        return LegacyBody(members=json_object(request))
    return LegacyBody(form=read_form(request, max_file_bytes))


def image_url(body: LegacyBody) -> str:
    """Return `imgUrl`, "" when there is none.

    Raises:
        BadRequest: it is not shaped like a URL that could be fetched.
    """
    return check_url(body.text("imgUrl"))


def check_url(url: str) -> str:
    """Return `url` if it is empty or has the shape v1 asked for.

    Raises:
        BadRequest: it has another shape. ftp, which v1 let through and then failed on, is refused too.
    """
    if url and not _URL.fullmatch(url):
        raise BadRequest(INVALID_URL)
    return url


def fetch_url(service: Service, url: str) -> bytes:
    """Return the bytes behind a checked URL.

    Raises:
        BadRequest: the fetcher does not take URLs of this form.
        FetchError, ImageTooLarge: see Fetcher.
    """
    try:
        return service.fetch(url)
    except BadRequest as error:
        raise BadRequest(INVALID_URL) from error


def file_named(body: LegacyBody) -> Upload | None:
    """Return `imgFile`; None when there is none, or only the empty one that a browser sends for no choice.

    Raises:
        BadRequest: its name does not end like a picture's.
    """
    upload = next(iter(body.form.files.get("imgFile", ())), None)
    if upload is None or not (upload.filename or upload.data):
        return None
    if not upload.filename.lower().endswith(_NAMES):
        raise BadRequest(INVALID_FILE)
    return upload


def not_text(*where: str | int) -> MalformedBody:
    """Return the error for a member that should have been text."""
    return MalformedBody("Input should be a valid string", kind="string_type", where=("body", *where))
