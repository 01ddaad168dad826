"""`POST /artist/image` of v1: one picture with its ids, or a batch of URLs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from arthur.errors import ArthurError, BadRequest, ImageTooLarge, InvalidImage
from arthur.recognizer import Enrolment
from arthur.types import JsonValue, Metadata, Put, ViewId
from arthur.web.http import Request, Response, json_response
from arthur.web.routes.legacy_input import (
    INVALID_FILE,
    INVALID_PARAMETERS,
    NO_IMAGE,
    LegacyBody,
    check_url,
    fetch_url,
    file_named,
    image_url,
    not_text,
    read_body,
)
from arthur.web.routes.views import check_metadata
from arthur.web.service import Service

_IDS = ("artist_id", "entry_id", "view_id")
_NOT_METADATA = {*_IDS, "imgUrl", "imgFile", "images"}
_TOGETHER = 16


def enrol(service: Service, request: Request) -> Response:
    """Put a batch if the body has one, else the one picture; answered when a match can find them."""
    body = read_body(request, service.settings.max_image_bytes)
    images = body.members.get("images")
    if isinstance(images, list) and images:
        items = _items(images)
        for item in items:
            request.caller.check(item["artist_id"])
        return _enrol_batch(service, items)
    view = _view(request)
    request.caller.check(view.artist_id)
    upload = file_named(body)
    if upload is not None:
        picture, source = upload.data, ""
    else:
        source = image_url(body)
        if not source:
            raise BadRequest(NO_IMAGE)
        picture = fetch_url(service, source)
    try:
        with service.turns.taken():
            service.recognizer.enroll(Enrolment(view, picture, source, _metadata(body)))
    except ImageTooLarge:
        raise
    except InvalidImage as error:
        raise BadRequest(INVALID_FILE) from error
    name = f"{view.artist_id}/{view.entry_id}/{view.view_id}"
    answer = json_response({"status": "success", "message": f"Added image {name} to index"})
    return answer.touching(view.hierarchical)


def _view(request: Request) -> ViewId:
    """Return the ids of the path, or of the query on the short path."""
    parts = [request.params.get(name) or request.query.get(name, ("",))[-1] for name in _IDS]
    try:
        return ViewId(*parts)
    except BadRequest as error:
        raise BadRequest(INVALID_PARAMETERS) from error


def _metadata(body: LegacyBody) -> Metadata:
    """Return the fields that mean nothing to us."""
    fields = {name: values[-1] for name, values in body.form.fields.items()}
    return check_metadata({k: v for k, v in {**body.members, **fields}.items() if k not in _NOT_METADATA})


def _items(images: list[JsonValue]) -> list[dict[str, str]]:
    """Return the batch's items, each with its four texts.

    Raises:
        MalformedBody: an item lacks one, or it is not text.
    """
    items = []
    for place, image in enumerate(images):
        if not isinstance(image, dict):
            raise not_text("images", place)
        item = {}
        for name in (*_IDS, "url"):
            value = image.get(name)
            if not isinstance(value, str):
                raise not_text("images", place, name)
            item[name] = value
        items.append(item)
    return items


def _enrol_batch(service: Service, items: Sequence[dict[str, str]]) -> Response:
    """Put what can be put, a few pictures in memory at a time."""
    failed: list[dict[str, object]] = []
    added: list[str] = []
    numbered = iter(enumerate(items))
    while together := list(islice(numbered, _TOGETHER)):
        for place, outcome in _put(service, together):
            if isinstance(outcome, ArthurError):
                failed.append({"index": place, "error": str(outcome)})
            else:
                added.append(outcome.stored.view.hierarchical)
    if not added:
        raise BadRequest(f"None of the {len(items)} images could be added: {failed[0]['error']}")
    answer: dict[str, object] = {"status": "success", "message": f"Added {len(added)} images to index"}
    return json_response({**answer, "failed": failed} if failed else answer).touching(*added)


def _put(service: Service, numbered: Sequence[tuple[int, dict[str, str]]]) -> Iterator[tuple[int, Put | ArthurError]]:
    """Fetch pictures side by side and put them in one transaction; give what became of each."""
    places = [place for place, _ in numbered]
    loaded = list(service.fan_out.map(lambda one: _enrolment(service, one[1]), numbered))
    puts = iter(service.recognizer.enroll_many([one for one in loaded if isinstance(one, Enrolment)]))
    for place, one in zip(places, loaded, strict=True):
        yield place, next(puts) if isinstance(one, Enrolment) else one


def _enrolment(service: Service, item: dict[str, str]) -> Enrolment | ArthurError:
    try:
        view = ViewId(*(item[name] for name in _IDS))
        url = check_url(item["url"])
        if not url:
            return BadRequest(NO_IMAGE)
        return Enrolment(view, fetch_url(service, url), url)
    except ArthurError as error:
        return error
