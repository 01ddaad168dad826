"""The route table: which handler answers which method and path, whatever server asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import unquote

from pydantic import BaseModel

from arthur.errors import BadRequest
from arthur.types import Scope
from arthur.web.http import Request, Response
from arthur.web.service import Service

Handler = Callable[[Service, Request], Response]
Access: TypeAlias = Scope | Literal["open"]
"""What a caller's key must permit, where keys are demanded; open routes are for everyone."""


@dataclass(frozen=True, slots=True)
class Doc:
    """What the API page says about a route.

    Attributes:
        query: model whose fields are the query parameters.
        bodies: model (or None for bytes) by media type; empty when the route takes no body.
        answers: model (or media type for what is not JSON) by status.
        files: media types as which the answer may be wanted instead.
        errors: statuses of problems that this route can give beside 400, 404 and 500.
        headers: what request headers mean that this route reads beside those of every route.
    """

    summary: str
    tag: str
    query: type[BaseModel] | None = None
    bodies: Mapping[str, type[BaseModel] | None] = field(default_factory=dict)
    answers: Mapping[int, type[BaseModel] | str | None] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path.

    Attributes:
        path: template with `{name}` for a segment that is a parameter; no trailing slash.
        style: how errors are told.
        admitted: whether a request takes one of the bounded places; probes and pages do not.
        turn: whether a request waits for its turn to decode and embed.
        pictures: how many pictures a body may hold, for its size limit.
        doc: None leaves the route out of the API page.
        scope: who may ask; a route that says nothing is for administrators alone.
        confined: whether the handler itself keeps to the artists of the caller. Other routes are closed to keys that
            are restricted to artists, unless their path has an `artist_id`, which is checked before.
    """

    method: str
    path: str
    handler: Handler
    doc: Doc | None = None
    style: Literal["problem", "legacy"] = "problem"
    admitted: bool = True
    turn: bool = False
    pictures: int = 1
    scope: Access = "admin"
    confined: bool = False


class Table:
    """Finds routes by method and path. Both slash forms of a path are the same path. Thread-safe: it never changes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Route]]]] = {}
        for route in self.routes:
            self._place(route)

    def find(self, path: str) -> tuple[Mapping[str, Route], Mapping[str, str]]:
        """Return the routes of a raw path by method, with its decoded parameters; no routes for an unknown path.

        Raises:
            BadRequest: an escape in the path does not spell UTF-8.
        """
        segments = _segments(path)
        for template, methods in self._by_length.get(len(segments), ()):
            if all(one.startswith("{") or one == other for one, other in zip(template, segments, strict=True)):
                pairs = zip(template, segments, strict=True)
                return methods, {name[1:-1]: _decoded(value) for name, value in pairs if name.startswith("{")}
        return {}, {}

    def _place(self, route: Route) -> None:
        """Enter a route; templates with fewer parameters are tried first."""
        template = _segments(route.path)
        templates = self._by_length.setdefault(len(template), [])
        for known, methods in templates:
            if known == template:
                methods[route.method] = route
                return
        templates.append((template, {route.method: route}))
        templates.sort(key=lambda one: sum(segment.startswith("{") for segment in one[0]))


def _segments(path: str) -> tuple[str, ...]:
    """Split a path; one trailing slash does not count."""
    path = path.removeprefix("/")
    return tuple(path.removesuffix("/").split("/"))


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("percent escapes in the path must spell UTF-8") from error
