"""Pictures out of requests: multipart, raw bodies, and JSON with a URL or base64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from arthur.errors import ArthurError, BadRequest
from arthur.types import JsonValue
from arthur.web.body import MULTIPART, Form, Upload, decode_base64, json_object, read_form, too_large
from arthur.web.http import JSON, Request
from arthur.web.schemas import ImageSource, read_model
from arthur.web.service import Service

FORMS = "send multipart/form-data with `image`, a body of an image type, or JSON with `image_url` or `image_base64`"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request brought.

    Attributes:
        pictures: encoded pictures, in order, at least one.
        source: the URL they came from, or "".
        form: fields of a multipart body.
        members: members of a JSON body.
    """

    pictures: tuple[bytes, ...]
    source: str = ""
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    members: Mapping[str, JsonValue] = field(default_factory=dict)


def read_sent(service: Service, request: Request) -> Sent:
    """Read the pictures of a request, fetching them if need be.

    Raises:
        BadRequest: no form that is documented, or no picture in it.
        ImageTooLarge: a picture is beyond the limit.
        FetchError: the URL could not be fetched.
    """
    if request.media_type == MULTIPART:
        form = read_form(request, service.settings.max_image_bytes)
        return Sent(tuple(file.data for file in images_of(form)), form=form.fields)
    if request.media_type == JSON:
        members = json_object(request)
        source = read_model(ImageSource, members)
        return Sent((load(service, source),), source=source.image_url or "", members=members)
    if request.media_type.startswith("image/") or request.media_type == "application/octet-stream":
        return Sent((_raw(service, request),))
    raise BadRequest(FORMS)


def images_of(form: Form) -> tuple[Upload, ...]:
    """Return the files of `image`.

    Raises:
        BadRequest: there is none, or a part of that name has no file name.
    """
    images = form.files.get("image", ())
    if "image" in form.fields:
        raise BadRequest("each `image` must be a file part, with a file name")
    if not images:
        raise BadRequest("no `image` in the multipart body")
    return images


def load(service: Service, source: ImageSource) -> bytes:
    """Return the picture that JSON names or holds.

    Raises:
        BadRequest: not exactly one of the two members is given, or it is malformed.
        ImageTooLarge, FetchError: see Fetcher.
    """
    if (source.image_url is None) == (source.image_base64 is None):
        raise BadRequest("give either `image_url` or `image_base64`")
    if source.image_url is not None:
        return service.fetch(source.image_url)
    return decode_base64(source.image_base64 or "", service.settings.max_image_bytes)


def only(pictures: tuple[bytes, ...]) -> bytes:
    """Return the one picture.

    Raises:
        BadRequest: there are several.
    """
    if len(pictures) != 1:
        raise BadRequest("exactly one `image` is expected")
    return pictures[0]


def attempt_load(service: Service, source: ImageSource) -> bytes | ArthurError:
    """Return the picture, or the error that keeps this one from being had."""
    try:
        return load(service, source)
    except ArthurError as error:
        return error


def _raw(service: Service, request: Request) -> bytes:
    """Return a body that is the picture; its declared length is the only sign that it is whole."""
    if "content-length" not in request.headers:
        raise BadRequest("a picture as the body needs a Content-Length")
    if len(request.body) > service.settings.max_image_bytes:
        raise too_large(service.settings.max_image_bytes)
    return request.body
