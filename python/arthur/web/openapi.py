"""The OpenAPI 3.1 document, made of the route table and the models, so that it cannot differ from either."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from arthur.web.answers import Problem, ProgressOut
from arthur.web.http import JSON, PROBLEM
from arthur.web.routing import Doc, Route

_REF = "#/components/schemas/{model}"
_BINARY = {"type": "string", "contentMediaType": "application/octet-stream"}
_PLACES = {
    "artist_id": "vangogh",
    "entry_id": "starry_night",
    "view_id": "main",
    "image_id": "vangogh.starry_night.main",
    "job_id": "5f0c1e6a9b7d3c2e1f00",
    "vector_id": "007c5bab-04f3-56ac-b22a-a950383d5ca6",
}
Json = dict[str, Any]
_TOLD = "Demanded where the server has API keys. The role is the scope that the key needs: read, write or admin."
_SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": _TOLD},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": _TOLD},
}


def openapi_json(routes: tuple[Route, ...], version: str) -> bytes:
    """Return the document of all routes that have a Doc, as JSON."""
    shown = [(route, route.doc) for route in routes if route.doc is not None]
    schemas = _schemas(doc for _, doc in shown)
    paths: dict[str, Json] = {}
    for route, doc in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, doc, schemas)
    info = {
        "title": "Arthur",
        "version": version,
        "description": "Which artwork does this photo show, or is it none of ours?",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    components = {"schemas": schemas, "securitySchemes": _SECURITY}
    document = {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}
    return orjson.dumps(document)


def _schemas(docs: Iterable[Doc]) -> Json:
    """Return the schema of every model, with those it is made of."""
    models: dict[type[BaseModel], None] = {Problem: None, ProgressOut: None}
    for doc in docs:
        used = (doc.query, *doc.bodies.values(), *doc.answers.values())
        models.update({one: None for one in used if isinstance(one, type)})
    inputs = [(model, "validation") for model in models]
    _, whole = models_json_schema(inputs, ref_template=_REF)  # type: ignore[arg-type]  # the mode is a literal
    schemas: Json = whole["$defs"]
    return schemas


def _operation(route: Route, doc: Doc, schemas: Json) -> Json:
    operation: Json = {
        "summary": doc.summary,
        "tags": [doc.tag],
        "operationId": route.handler.__name__,
        "parameters": [*_path_parameters(route.path), *_query_parameters(doc.query, schemas), *_headers(doc)],
        "responses": _responses(route, doc),
        "security": [] if route.scope == "open" else [{scheme: [route.scope]} for scheme in _SECURITY],
    }
    if route.handler.__doc__:
        operation["description"] = route.handler.__doc__
    if doc.bodies:
        content = {media: _body(media, model) for media, model in doc.bodies.items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(path: str) -> list[Json]:
    text = {"type": "string", "minLength": 1, "maxLength": 512}
    return [
        {"name": name, "in": "path", "required": True, "schema": text, "example": _PLACES[name]}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(model: type[BaseModel] | None, schemas: Json) -> list[Json]:
    if model is None:
        return []
    parameters = []
    for name, schema in schemas[model.__name__]["properties"].items():
        told = {key: value for key, value in schema.items() if key not in ("title", "description")}
        options = [one for one in told.pop("anyOf", ()) if one != {"type": "null"}]
        parameter = {"name": name, "in": "query", "schema": {**told, **(options[0] if options else {})}}
        if parameter["schema"].get("default", ...) is None:
            del parameter["schema"]["default"]
        if "description" in schema:
            parameter["description"] = schema["description"]
        parameters.append(parameter)
    return parameters


def _headers(doc: Doc) -> list[Json]:
    text = {"type": "string", "maxLength": 255}
    return [{"name": name, "in": "header", "schema": text, "description": told} for name, told in doc.headers.items()]


def _body(media: str, model: type[BaseModel] | None) -> Json:
    if model is None:
        return {"schema": {}}
    schema: Json = {"schema": {"$ref": _REF.format(model=model.__name__)}}
    if media == JSON:
        schema["example"] = _EXAMPLES[model.__name__]
    return schema


def _responses(route: Route, doc: Doc) -> Json:
    """Return what the route answers; 400, 404 and 500 can always come, and what the gate answers."""
    answers = {str(status): _answer(status, kind) for status, kind in doc.answers.items()}
    if doc.files:
        answers["200"]["content"] |= {media: {"schema": _BINARY} for media in doc.files}
    always = (400, 414, 429, 431, 500) if "{" not in route.path else (400, 404, 414, 429, 431, 500)
    always = always if route.scope == "open" else (*always, 401, 403, 503)
    problem = {PROBLEM: {"schema": {"$ref": _REF.format(model="Problem")}}}
    for status in sorted({*always, *doc.errors, *(() if not doc.bodies else (413,))}):
        answers[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return answers


def _answer(status: int, kind: type[BaseModel] | str | None) -> Json:
    answer: Json = {"description": HTTPStatus(status).phrase}
    if isinstance(kind, str):
        answer["content"] = {kind: {"schema": {"type": "object"} if kind == JSON else _BINARY}}
    elif kind is not None:
        answer["content"] = {JSON: {"schema": {"$ref": _REF.format(model=kind.__name__)}}}
    return answer


_EXAMPLES: Mapping[str, Json] = {
    "MatchJson": {"image_url": "https://example.org/photo.jpg", "k": 5},
    "SearchJson": {"text": "a bridge in fog", "mix": [{"text": "people", "weight": -0.3}], "k": 5},
    "BatchJson": {"images": [{"id": "first", "image_url": "https://example.org/photo.jpg"}], "k": 1},
    "JobJson": {
        "items": [{"artist_id": "vangogh", "entry_id": "starry_night", "url": "https://example.org/starry_night.jpg"}]
    },
    "ViewJson": {"image_url": "https://example.org/starry_night.jpg", "metadata": {"title": "The Starry Night"}},
}
