"""Pairs of views that look alike: works that are hard to tell apart, and pictures enrolled twice."""

from __future__ import annotations

from arthur.types import LikenessKind, StoredLikeness
from arthur.web.answers import LikenessesOut
from arthur.web.http import Request, Response, json_response
from arthur.web.routes.views import view_members
from arthur.web.routing import Doc, Route
from arthur.web.schemas import PageParams, query_model
from arthur.web.service import Service


def confusables(service: Service, request: Request) -> Response:
    """List pairs of views of different entries that recognition can hardly tell apart, newest first."""
    return _listed(service, request, "confusable")


def duplicates(service: Service, request: Request) -> Response:
    """List pairs of views of different entries that show the same picture, newest first."""
    return _listed(service, request, "duplicate")


def _listed(service: Service, request: Request, kind: LikenessKind) -> Response:
    params = query_model(PageParams, request.query)
    page = service.catalog.likenesses(kind, cursor=params.cursor, limit=params.limit, only=request.caller.only)
    return json_response({"pairs": [_members(row) for row in page.rows], "next_cursor": page.next_cursor})


def _members(row: StoredLikeness) -> dict[str, object]:
    return {
        "newer": view_members(row.newer),
        "older": view_members(row.older),
        "probability": row.probability,
        "score": row.score,
        "inliers": row.inliers,
        "coverage": row.coverage,
    }


ROUTES = tuple(
    Route(
        "GET",
        path,
        handler,
        Doc(summary, "catalogue", query=PageParams, answers={200: LikenessesOut}, errors=(429, 503)),
        scope="read",
        confined=True,
    )
    for path, handler, summary in (
        ("/api/v1/confusables", confusables, "Works that are hard to tell apart"),
        ("/api/v1/duplicates", duplicates, "Pictures enrolled under two entries"),
    )
)
