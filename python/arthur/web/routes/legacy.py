"""The v1 routes, unchanged on the wire: recognition and service. Enrolment is in `legacy_enrol`."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from arthur.errors import BadRequest, ImageTooLarge, InvalidImage, StoreError
from arthur.types import Query, check_id
from arthur.web.http import Request, Response, json_response
from arthur.web.routes.legacy_enrol import enrol
from arthur.web.routes.legacy_input import (
    INVALID_FILE,
    NO_IMAGE,
    fetch_url,
    file_named,
    image_url,
    read_body,
)
from arthur.web.routing import Route
from arthur.web.service import Service

_SHOWN_FROM = 0.01
"""v1 clients see rows and scores, but no decision: rows are kept back only when the best one is almost surely wrong."""
ALIVE = "Arthur Image Recognition service is running"


def match(service: Service, request: Request) -> Response:
    """Recognize by `imgUrl`, else by `imgFile`; a photo of none of ours gives no matches."""
    body = read_body(request, service.settings.max_image_bytes)
    url = image_url(body)
    if url:
        picture = fetch_url(service, url)
    else:
        upload = file_named(body)
        if upload is None:
            raise BadRequest(NO_IMAGE)
        picture = upload.data
    artist_id = request.params.get("artist_id") or request.query.get("artist_id", ("",))[-1]
    query = Query(artist_ids=request.caller.among((check_id(artist_id, "artist_id"),) if artist_id else ()))
    try:
        with service.turns.taken():
            answer = service.recognizer.recognize(picture, query)
    except ImageTooLarge:
        raise
    except InvalidImage as error:
        raise BadRequest(INVALID_FILE) from error
    service.metrics.recognized(answer, request.request_id)
    service.recorder.note((picture,), answer, (time.monotonic() - request.received_at) * 1000)
    rows = () if answer.probability < _SHOWN_FROM else answer.matches
    matches = [
        {
            "artistId": row.view.artist_id,
            "entryId": row.view.entry_id,
            "viewId": row.view.view_id,
            "score": f"{row.score:.4f}",
        }
        for row in rows
    ]
    return json_response({"matches": matches, "status": "success", "message": "Matched"})


def status(service: Service, request: Request) -> Response:  # every handler has this form
    """Tell how much there is, and which parts answer."""
    artists = views = 0
    database = vectors = "connected"
    try:
        counts = service.catalog.counts()
        artists, views = counts.artists, counts.views
    except StoreError:
        database = "disconnected"
    if service.recognizer.status()["index"] is None:
        vectors = "disconnected"
    down = "disconnected" in (database, vectors)
    return json_response(
        {
            "status": "degraded" if down else "running",
            "version": service.version,
            "indexed_artists": artists,
            "total_images": views,
            "vector_db_status": vectors,
            "database_status": database,
        }
    )


def unify(service: Service, request: Request) -> Response:  # every handler has this form
    """Make the index equal to the catalog, and answer when it is."""
    service.rebuild.run()
    return json_response({"status": "success", "message": "Index operation completed"})


def pickles(service: Service, request: Request) -> Response:  # every handler has this form
    """Answer clients that look for files which v1 once had."""
    return json_response({"pickle_files": [], "message": "Using vector database instead of pickle files"})


def health(service: Service, request: Request) -> Response:  # every handler has this form
    """Say that the service runs."""
    return json_response(
        {
            "status": "healthy",
            "timestamp": datetime.now(UTC).isoformat(),
            "version": service.version,
            "message": ALIVE,
        }
    )


ROUTES = (
    *(
        Route("POST", path, match, style="legacy", turn=True, scope="read", confined=True)
        for path in ("/match", "/match/{artist_id}", "/match-legacy", "/match-legacy/{artist_id}")
    ),
    *(
        Route("POST", path, enrol, style="legacy", turn=True, pictures=2, scope="write", confined=True)
        for path in ("/artist/image", "/artist/image/{artist_id}/{entry_id}/{view_id}")
    ),
    Route("GET", "/status", status, style="legacy", admitted=False, scope="read"),
    Route("POST", "/unified-index", unify, style="legacy", scope="admin"),
    Route("GET", "/list-pickles", pickles, style="legacy", admitted=False, scope="read", confined=True),
    Route("GET", "/health", health, style="legacy", admitted=False, scope="open"),
)
