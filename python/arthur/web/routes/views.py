"""Views: put, read and remove one picture of the catalogue, and its thumbnail."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from arthur.errors import BadRequest, NotFound
from arthur.pictures import thumbnail_name
from arthur.recognizer import Enrolment
from arthur.types import JsonValue, Metadata, StoredView, ViewId
from arthur.web.answers import RemovedOut, ViewOut
from arthur.web.body import MULTIPART
from arthur.web.http import JSON, Request, Response, etagged, json_response
from arthur.web.routing import Doc, Route
from arthur.web.schemas import ViewForm, ViewJson, ViewParams, ViewQuery, read_model
from arthur.web.service import Service
from arthur.web.uploads import Sent, only, read_sent

_PATH = "/api/v1/artists/{artist_id}/entries/{entry_id}/views/{view_id}"
_MAX_METADATA_BYTES = 64 * 1024


def put_view(service: Service, request: Request) -> Response:
    """Put a picture under its name; the one that was there is replaced."""
    view = view_of(request)
    sent = read_sent(service, request)
    metadata = check_metadata(_metadata(request, sent))
    enrolment = Enrolment(view, only(sent.pictures), sent.source, metadata)
    with service.turns.taken():
        put = service.recognizer.enroll(enrolment)
    headers = {"etag": f'"{put.stored.key}"', "location": request.path}
    answer = json_response(view_members(put.stored), 201 if put.created else 200, headers)
    return answer.touching(view.hierarchical)


def show_view(service: Service, request: Request) -> Response:
    """Show what is known of a view."""
    view = view_of(request)
    stored = service.catalog.view(view)
    if stored is None:
        raise NotFound(f"there is no view {view.hierarchical}")
    return etagged(request, str(stored.key), json_response(view_members(stored)))


def remove_view(service: Service, request: Request) -> Response:
    """Remove a view."""
    view = view_of(request)
    count = service.recognizer.forget(view.artist_id, view.entry_id, view.view_id)
    return removed(count, view.hierarchical, view.hierarchical)


def show_thumbnail(service: Service, request: Request) -> Response:
    """Give the thumbnail of a view."""
    vector_id = request.params["vector_id"].lower()
    stored = service.catalog.find(vector_id)
    if stored is None or not request.caller.allows(stored.view.artist_id):
        raise NotFound(f"there is no view {vector_id}")
    return _thumbnail(service, request, stored)


def show_artist_cover(service: Service, request: Request) -> Response:
    """Give the thumbnail of an artist's first view, by which lists show the artist."""
    return _cover(service, request, None)


def show_entry_cover(service: Service, request: Request) -> Response:
    """Give the thumbnail of an entry's first view, by which lists show the entry."""
    return _cover(service, request, request.params["entry_id"])


def _cover(service: Service, request: Request, entry_id: str | None) -> Response:
    artist_id = request.params["artist_id"]
    page = service.catalog.views_of(artist_id, entry_id, cursor=None, limit=1)
    if not page.rows:
        raise NotFound(f"there is no {artist_id!r}" if entry_id is None else f"there is no {artist_id}.{entry_id}")
    return _thumbnail(service, request, page.rows[0])


def _thumbnail(service: Service, request: Request, stored: StoredView) -> Response:
    picture = service.blobs.read(thumbnail_name(stored))
    if picture is None:
        raise NotFound(f"view {stored.vector_id} has no thumbnail")
    return etagged(request, str(stored.key), Response(200, picture, {"content-type": "image/jpeg"}))


def view_of(request: Request) -> ViewId:
    """Return the view that a path names. Raises BadRequest for parts that cannot name one."""
    return ViewId(request.params["artist_id"], request.params["entry_id"], request.params["view_id"])


def view_members(stored: StoredView) -> dict[str, object]:
    """Return the JSON of a stored view."""
    return {
        "artist_id": stored.view.artist_id,
        "entry_id": stored.view.entry_id,
        "view_id": stored.view.view_id,
        "vector_id": stored.vector_id,
        "key": stored.key,
        "format": stored.format,
        "width": stored.width,
        "height": stored.height,
        "size_bytes": stored.size_bytes,
        "content_hash": stored.content_hash,
        "source": stored.source,
        "metadata": stored.metadata,
        "created_at": stored.created_at.isoformat(),
        "updated_at": stored.updated_at.isoformat(),
        "thumbnail": f"/api/v1/views/{stored.vector_id}/thumbnail",
    }


def removed(count: int, name: str, scope: str) -> Response:
    """Answer a removal of all that lies in `scope`.

    Raises:
        NotFound: nothing was there.
    """
    if count == 0:
        raise NotFound(f"there is no {name!r}")
    return json_response({"removed": count}).touching(scope)


def check_metadata(metadata: Mapping[str, JsonValue]) -> Metadata:
    """Return metadata that may be kept.

    Raises:
        BadRequest: it is too large, or holds what JSON cannot.
    """
    try:
        size = len(orjson.dumps(metadata))
    except orjson.JSONEncodeError as error:
        raise BadRequest("metadata: not valid JSON") from error
    if size > _MAX_METADATA_BYTES:
        raise BadRequest(f"metadata: larger than {_MAX_METADATA_BYTES} bytes")
    return metadata


def _metadata(request: Request, sent: Sent) -> dict[str, JsonValue]:
    """Gather metadata: the JSON object of that name, and over it the other fields of a form."""
    given = sent.members.get("metadata")
    text = (*request.query.get("metadata", ()), *sent.form.get("metadata", ()))
    if text:
        try:
            given = orjson.loads(text[-1])
        except orjson.JSONDecodeError as error:
            raise BadRequest("metadata: not a JSON object") from error
    named = read_model(ViewParams, {"metadata": given}).metadata or {}
    return {**named, **{name: values[-1] for name, values in sent.form.items() if name not in ("metadata", "image")}}


ROUTES = (
    Route(
        "PUT",
        _PATH,
        put_view,
        Doc(
            "Put a view",
            "catalogue",
            query=ViewQuery,
            bodies={"image/*": None, MULTIPART: ViewForm, JSON: ViewJson},
            answers={200: ViewOut, 201: ViewOut},
            errors=(413, 422, 429, 502, 503),
        ),
        turn=True,
        scope="write",
    ),
    Route("GET", _PATH, show_view, Doc("Show a view", "catalogue", answers={200: ViewOut, 304: None}), scope="read"),
    Route("DELETE", _PATH, remove_view, Doc("Remove a view", "catalogue", answers={200: RemovedOut}), scope="write"),
    Route(
        "GET",
        "/api/v1/views/{vector_id}/thumbnail",
        show_thumbnail,
        Doc("Thumbnail of a view", "catalogue", answers={200: "image/jpeg", 304: None}),
        scope="read",
        confined=True,
    ),
    Route(
        "GET",
        "/api/v1/artists/{artist_id}/thumbnail",
        show_artist_cover,
        Doc("Thumbnail of an artist's first view", "catalogue", answers={200: "image/jpeg", 304: None}),
        scope="read",
    ),
    Route(
        "GET",
        "/api/v1/artists/{artist_id}/entries/{entry_id}/thumbnail",
        show_entry_cover,
        Doc("Thumbnail of an entry's first view", "catalogue", answers={200: "image/jpeg", 304: None}),
        scope="read",
    ),
)
