"""The API described: for machines as OpenAPI, for people as a page that asks nothing of the outside."""

from __future__ import annotations

from functools import cache

from arthur.web.docs_page import docs_page
from arthur.web.http import JSON, Request, Response
from arthur.web.openapi import openapi_json
from arthur.web.routing import Doc, Route
from arthur.web.service import Service


def openapi(service: Service, request: Request) -> Response:
    """Give the OpenAPI document."""
    return Response(200, _document(service.version), {"content-type": JSON})


def docs(service: Service, request: Request) -> Response:
    """Give the API page."""
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Response(200, docs_page(_document(service.version)), headers)


@cache
def _document(version: str) -> bytes:
    from arthur.web.routes import all_routes  # the table holds this module's own routes

    return openapi_json(all_routes(), version)


ROUTES = (
    Route(
        "GET",
        "/api/v1/openapi.json",
        openapi,
        Doc("This description", "service", answers={200: JSON}),
        admitted=False,
    ),
    Route("GET", "/openapi.json", openapi, admitted=False),
    Route("GET", "/api/v1/docs", docs, Doc("The API page", "service", answers={200: "text/html"}), admitted=False),
    Route("GET", "/docs", docs, admitted=False),
)
