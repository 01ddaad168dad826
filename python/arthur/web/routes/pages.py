"""Pages: the one that matches a photo, and the API described for machines (OpenAPI) and for people.

None of them asks anything of the outside.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from blake3 import blake3

from arthur.errors import NotFound
from arthur.web.docs_page import STYLE_HASH, docs_page
from arthur.web.http import JSON, Request, Response, etagged
from arthur.web.openapi import openapi_json
from arthur.web.routes.legacy import health
from arthur.web.routing import Doc, Route
from arthur.web.service import Service

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_DOCS_POLICY = f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"


def openapi(service: Service, request: Request) -> Response:
    """Give the OpenAPI document."""
    return Response(200, _document(service.version), {"content-type": JSON})


def docs(service: Service, request: Request) -> Response:
    """Give the API page."""
    headers = {"content-type": _TYPES[".html"], "content-security-policy": _DOCS_POLICY}
    return Response(200, docs_page(_document(service.version)), headers)


def root(service: Service, request: Request) -> Response:
    """Give browsers the page, and everyone else what v1 answered."""
    if "text/html" not in request.headers.get("accept", ""):
        return health(service, request).having({"vary": "Accept"})
    return _file(request, "index.html").having({"vary": "Accept"})


def static(service: Service, request: Request) -> Response:
    """Give a file of the page."""
    return _file(request, request.params["name"])


def _file(request: Request, name: str) -> Response:
    kept = _files().get(name)
    if kept is None:
        raise NotFound("Not Found")
    headers = {"content-type": _TYPES[Path(name).suffix], "content-security-policy": _PAGE_POLICY}
    return etagged(request, blake3(kept).hexdigest()[:32], Response(200, kept, headers))


@cache
def _files() -> dict[str, bytes]:
    """Return the files that are packaged for the page, by name; only these can be asked for."""
    folder = resources.files("arthur.web") / "static"
    return {one.name: one.read_bytes() for one in folder.iterdir() if Path(one.name).suffix in _TYPES}


@cache
def _document(version: str) -> bytes:
    from arthur.web.routes import all_routes  # the table holds this module's own routes

    return openapi_json(all_routes(), version)


ROUTES = (
    Route("GET", "/", root, style="legacy", admitted=False, scope="open"),
    Route("GET", "/static/{name}", static, style="legacy", admitted=False, scope="open"),
    Route(
        "GET",
        "/api/v1/openapi.json",
        openapi,
        Doc("This description", "service", answers={200: JSON}),
        admitted=False,
        scope="open",
    ),
    Route("GET", "/openapi.json", openapi, admitted=False, scope="open"),
    Route(
        "GET",
        "/api/v1/docs",
        docs,
        Doc("The API page", "service", answers={200: "text/html"}),
        admitted=False,
        scope="open",
    ),
    Route("GET", "/docs", docs, admitted=False, scope="open"),
)
