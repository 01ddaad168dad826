"""Search by words, by pictures, or by both together."""

from __future__ import annotations

from arthur.errors import BadRequest
from arthur.types import Hit, Ingredient, Question, check_id
from arthur.web.answers import SearchOut
from arthur.web.body import MULTIPART, json_object, read_form
from arthur.web.http import JSON, Request, Response, json_response
from arthur.web.routing import Doc, Route
from arthur.web.schemas import (
    MAX_MIX,
    SearchFields,
    SearchForm,
    SearchItem,
    SearchJson,
    SearchParams,
    flat,
    query_model,
    read_model,
)
from arthur.web.service import Service
from arthur.web.uploads import images_of, load


def search(service: Service, request: Request) -> Response:
    """Show the entries nearest to what texts and pictures tell together."""
    ingredients, asked = _form(service, request) if request.media_type == MULTIPART else _json(service, request)
    question = Question(
        ingredients,
        k=asked.k,
        artist_ids=request.caller.among([check_id(one, "artist_id") for one in asked.artist_id]),
        min_score=asked.min_score,
    )
    with service.turns.taken():
        answer = service.recognizer.search(question)
    timing = ", ".join(f"{stage};dur={milliseconds:.2f}" for stage, milliseconds in answer.timings_ms.items())
    members = {
        "hits": [hit_members(hit) for hit in answer.hits],
        "engine": answer.engine,
        "passport": answer.passport,
        "catalog_seq": answer.catalog_seq,
        "degraded": answer.degraded,
        "timings_ms": {stage: round(milliseconds, 3) for stage, milliseconds in answer.timings_ms.items()},
        "request_id": request.request_id,
    }
    return json_response(members, headers={"server-timing": timing} if timing else None)


def hit_members(hit: Hit) -> dict[str, object]:
    """Return the JSON of one hit."""
    vector_id = hit.view.vector_id
    return {
        "artist_id": hit.view.artist_id,
        "entry_id": hit.view.entry_id,
        "view_id": hit.view.view_id,
        "vector_id": vector_id,
        "score": hit.score,
        "thumbnail": f"/api/v1/views/{vector_id}/thumbnail",
        "metadata": hit.metadata,
    }


def _form(service: Service, request: Request) -> tuple[tuple[Ingredient, ...], SearchParams]:
    """Read a question out of a form."""
    form = read_form(request, service.settings.max_image_bytes)
    asked = query_model(SearchFields, {**request.query, **form.fields})
    files = images_of(form) if "image" in {*form.fields, *form.files} else ()
    if len(files) > MAX_MIX:
        raise BadRequest(f"at most {MAX_MIX} images are taken")
    texts = (Ingredient(text=text, weight=asked.text_weight) for text in asked.text)
    pictures = (Ingredient(image=file.data, weight=asked.image_weight) for file in files)
    return (*texts, *pictures), asked


def _json(service: Service, request: Request) -> tuple[tuple[Ingredient, ...], SearchParams]:
    """Read a question out of JSON; its pictures are fetched if need be."""
    asked = read_model(SearchJson, {**flat(SearchParams, request.query), **json_object(request)})
    items = list(asked.mix)
    if asked.image_url is not None or asked.image_base64 is not None:
        items.insert(
            0, SearchItem(image_url=asked.image_url, image_base64=asked.image_base64, weight=asked.image_weight)
        )
    if asked.text is not None:
        items.insert(0, SearchItem(text=asked.text, weight=asked.text_weight))
    return tuple(_ingredient(service, item) for item in items), asked


def _ingredient(service: Service, item: SearchItem) -> Ingredient:
    """Return one part of the question, its picture fetched if need be; exactly one of its sources is given."""
    if item.text is not None and item.image_url is None and item.image_base64 is None:
        return Ingredient(text=item.text, weight=item.weight)
    image = load(service, item)
    return Ingredient(text=item.text, image=image, weight=item.weight)


ROUTES = (
    Route(
        "POST",
        "/api/v1/search",
        search,
        Doc(
            "Search by text, by picture, or by both",
            "recognition",
            query=SearchParams,
            bodies={JSON: SearchJson, MULTIPART: SearchForm},
            answers={200: SearchOut},
            errors=(409, 413, 422, 429, 502, 503),
        ),
        turn=True,
        pictures=4,
        scope="read",
        confined=True,
    ),
)
