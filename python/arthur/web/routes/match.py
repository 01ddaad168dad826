"""Recognition: one photo, a batch of photos, and what is like a stored view."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from contextvars import copy_context

from arthur.errors import ArthurError, BadRequest, DeadlineExceeded, NotFound
from arthur.types import JsonValue, Match, Query, Recognition, StoredView, check_id
from arthur.web.answers import BatchOut, PhotoOut, SimilarOut
from arthur.web.body import MULTIPART, json_object, read_form
from arthur.web.caller import Caller
from arthur.web.http import JSON, Request, Response, json_response, problem_of
from arthur.web.overlay import overlay
from arthur.web.routes.views import view_members
from arthur.web.routing import Doc, Route
from arthur.web.schemas import (
    MAX_BATCH,
    MAX_FRAMES,
    BatchForm,
    BatchJson,
    ImageSource,
    MatchForm,
    MatchJson,
    MatchParams,
    PhotoParams,
    SimilarParams,
    flat,
    query_model,
    read_model,
)
from arthur.web.service import Service
from arthur.web.uploads import images_of, load, read_sent

_DNS = uuid.NAMESPACE_DNS


def match(service: Service, request: Request) -> Response:
    """Recognize one artwork, on one photo or on several of it."""
    sent = read_sent(service, request)
    if len(sent.pictures) > MAX_FRAMES:
        raise BadRequest(f"at most {MAX_FRAMES} frames are taken")
    given = {**flat(PhotoParams, request.query), **flat(PhotoParams, sent.form), **sent.members}
    params = read_model(PhotoParams, given)
    with service.turns.taken():
        answer = recognize(service, request, sent.pictures, params)
    timing = ", ".join(f"{stage};dur={milliseconds:.2f}" for stage, milliseconds in answer.timings_ms.items())
    members = {**recognition_members(answer), "request_id": request.request_id}
    if params.overlay:
        members["overlay"] = overlay(sent.pictures, answer)
    return json_response(members, headers={"server-timing": timing} if timing else None)


def batch_match(service: Service, request: Request) -> Response:
    """Recognize several photos side by side; one that fails does not fail the others."""
    items, params = _batch(service, request)

    def answer(item: tuple[str, ImageSource | bytes]) -> dict[str, object]:
        name, source = item
        try:
            picture = source if isinstance(source, bytes) else load(service, source)
            with service.turns.taken(patient=True):
                answer = recognize(service, request, (picture,), params)
        except ArthurError as error:
            return {"id": name, "error": problem_of(error)}
        return {"id": name, **recognition_members(answer), "request_id": request.request_id}

    # each thread goes on in the trace of the request
    contexts = [copy_context() for _ in items]
    results = list(service.fan_out.map(lambda context, item: context.run(answer, item), contexts, items))
    return json_response({"results": results, "request_id": request.request_id})


def similar(service: Service, request: Request) -> Response:
    """Show the entries most like a stored view."""
    stored = find_view(service, request.params["image_id"], request.caller)
    given = flat(SimilarParams, request.query)
    if request.body:
        given |= json_object(request)
    params = read_model(SimilarParams, given)
    matches = service.recognizer.similar(
        stored.view, k=params.k, artist_ids=request.caller.among(params.artist_id), min_score=params.min_score
    )
    return json_response(
        {
            "view": view_members(stored),
            "matches": [match_members(one) for one in matches],
            "request_id": request.request_id,
        }
    )


def recognize(service: Service, request: Request, frames: Sequence[bytes], params: MatchParams) -> Recognition:
    """Recognize one photo, or several of one work, within what is left of the caller's deadline.

    Raises:
        DeadlineExceeded: nothing is left of it.
        ArthurError: see Recognizer.recognize.
    """
    left = params.deadline_ms
    if left is not None:
        left -= (time.monotonic() - request.received_at) * 1000
        if left <= 0:
            raise DeadlineExceeded("the deadline passed before the picture was looked at")
    query = Query(
        k=params.k,
        artist_ids=request.caller.among([check_id(one, "artist_id") for one in params.artist_id]),
        min_score=params.min_score,
        max_false_accept=params.max_false_accept,
        verify=params.verify,
        deadline_ms=left,
    )
    answer = service.recognizer.recognize_frames(frames, query)
    service.metrics.recognized(answer, request.request_id)
    service.recorder.note(frames, answer, (time.monotonic() - request.received_at) * 1000)
    service.tracing.note({"arthur.decision": answer.decision, "arthur.engine": answer.engine})
    return answer


def find_view(service: Service, image_id: str, caller: Caller) -> StoredView:
    """Return the view of a vector_id, or of `artist.entry.view`, whose vector_id follows from it however it splits.

    Raises:
        NotFound: there is no such view, or the caller may not know of it.
    """
    stored = service.catalog.find(image_id.lower()) or service.catalog.find(str(uuid.uuid5(_DNS, image_id)))
    if stored is None or not caller.allows(stored.view.artist_id):
        raise NotFound(f"there is no view {image_id!r}")
    return stored


def recognition_members(answer: Recognition) -> dict[str, object]:
    """Return the JSON of a recognition, without the request id."""
    return {
        "decision": answer.decision,
        "probability": answer.probability,
        "reasons": answer.reasons,
        "matches": [match_members(one) for one in answer.matches],
        "engine": answer.engine,
        "passport": answer.passport,
        "catalog_seq": answer.catalog_seq,
        "degraded": answer.degraded,
        "skipped": answer.skipped,
        "timings_ms": {stage: round(milliseconds, 3) for stage, milliseconds in answer.timings_ms.items()},
    }


def match_members(one: Match) -> dict[str, object]:
    """Return the JSON of one match."""
    vector_id = one.view.vector_id
    return {
        "artist_id": one.view.artist_id,
        "entry_id": one.view.entry_id,
        "view_id": one.view.view_id,
        "vector_id": vector_id,
        "score": one.score,
        "probability": one.probability,
        "inliers": one.inliers,
        "coverage": one.coverage,
        "quad": one.quad,
        "thumbnail": f"/api/v1/views/{vector_id}/thumbnail",
        "metadata": one.metadata,
        "decision": one.decision,
        "frame": one.frame,
    }


def _batch(service: Service, request: Request) -> tuple[list[tuple[str, ImageSource | bytes]], MatchParams]:
    """Return the named pictures of a batch, and how to recognize them."""
    if request.media_type == MULTIPART:
        form = read_form(request, service.settings.max_image_bytes)
        files = images_of(form)
        if len(files) > MAX_BATCH:
            raise BadRequest(f"at most {MAX_BATCH} images are taken")
        named = [(file.filename or str(place), file.data) for place, file in enumerate(files)]
        return list(named), query_model(MatchParams, {**request.query, **form.fields})
    if request.media_type == JSON:
        given: Mapping[str, JsonValue | object] = {**flat(MatchParams, request.query), **json_object(request)}
        batch = read_model(BatchJson, given)
        return [(one.id or str(place), one) for place, one in enumerate(batch.images)], batch
    raise BadRequest("send multipart/form-data with `image` repeated, or JSON with `images`")


_PICTURE_ERRORS = (413, 422, 429, 502, 503, 504)

ROUTES = (
    Route(
        "POST",
        "/api/v1/match",
        match,
        Doc(
            "Recognize the artwork on a photo",
            "recognition",
            query=PhotoParams,
            bodies={MULTIPART: MatchForm, JSON: MatchJson, "image/*": None},
            answers={200: PhotoOut},
            errors=_PICTURE_ERRORS,
        ),
        turn=True,
        pictures=4,
        scope="read",
        confined=True,
    ),
    Route(
        "POST",
        "/api/v1/batch/match",
        batch_match,
        Doc(
            "Recognize several photos",
            "recognition",
            query=MatchParams,
            bodies={JSON: BatchJson, MULTIPART: BatchForm},
            answers={200: BatchOut},
            errors=_PICTURE_ERRORS,
        ),
        pictures=4,
        scope="read",
        confined=True,
    ),
    Route(
        "POST",
        "/api/v1/similar/{image_id}",
        similar,
        Doc(
            "Entries like a stored view",
            "recognition",
            query=SimilarParams,
            answers={200: SimilarOut},
            errors=(429, 503),
        ),
        scope="read",
        confined=True,
    ),
)
