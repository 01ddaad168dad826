"""The state of the service: probes, status, metrics, and rebuilding the index."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from arthur.errors import EngineError, Overloaded, StoreError
from arthur.web.answers import ProbeOut, ProgressOut, StatusOut
from arthur.web.http import Request, Response, json_response, problem
from arthur.web.routing import Doc, Route
from arthur.web.schemas import RebuildParams, query_model
from arthur.web.service import Service


def alive(service: Service, request: Request) -> Response:  # every handler has this form
    """Say that the process answers."""
    return json_response({"status": "ok"})


def ready(service: Service, request: Request) -> Response:
    """Say whether a photo could be recognized now, after embedding a known picture.

    A server whose queue is full is ready: callers are told to come again, while a balancer that left out every full
    server would leave nobody.
    """
    try:
        with suppress(Overloaded):
            service.recognizer.ready()
    except (EngineError, StoreError) as error:
        return problem(error, request.request_id, HTTPStatus.SERVICE_UNAVAILABLE)
    return json_response({"status": "ready"})


def status(service: Service, request: Request) -> Response:  # every handler has this form
    """Describe the parts."""
    state = dict(service.recognizer.status())
    catalog = state.pop("counts", None)
    try:
        progress = service.rebuild.board.read()
    except StoreError:
        progress = None
    top = {"status": "degraded" if state.get("degraded") else "ok", "version": service.version}
    embedders = {"embedders": found} if (found := service.embedders()) else {}
    return json_response({**top, "catalog": catalog, **state, **embedders, "index_progress": progress})


def metrics(service: Service, request: Request) -> Response:
    """Give the numbers of all workers, with exemplars to whoever asks for OpenMetrics."""
    numbers, media_type = service.metrics.exposition(request.headers.get("accept", ""))
    return Response(200, numbers, {"content-type": media_type})


def rebuild(service: Service, request: Request) -> Response:
    """Make the index equal to the catalog, in the background or while the caller waits."""
    if query_model(RebuildParams, request.query).wait:
        service.rebuild.run()
        return json_response(service.rebuild.board.read())
    service.rebuild.start()
    return json_response(service.rebuild.board.read(), HTTPStatus.ACCEPTED)


ROUTES = (
    Route(
        "POST",
        "/api/v1/index/rebuild",
        rebuild,
        Doc(
            "Rebuild the index",
            "service",
            query=RebuildParams,
            answers={200: ProgressOut, 202: ProgressOut},
            errors=(409, 429, 503),
        ),
        scope="admin",
    ),
    Route(
        "GET",
        "/api/v1/status",
        status,
        Doc("State of the parts", "service", answers={200: StatusOut}),
        admitted=False,
        scope="read",
    ),
    Route(
        "GET",
        "/api/v1/metrics",
        metrics,
        Doc("Numbers for Prometheus", "service", answers={200: "text/plain"}),
        admitted=False,
        scope="read",
    ),
    Route("GET", "/metrics", metrics, admitted=False, scope="read"),
    Route(
        "GET",
        "/healthz",
        alive,
        Doc("Does the process answer?", "service", answers={200: ProbeOut}),
        admitted=False,
        scope="open",
    ),
    Route(
        "GET",
        "/readyz",
        ready,
        Doc("Could a photo be recognized now?", "service", answers={200: ProbeOut}, errors=(503,)),
        admitted=False,
        scope="open",
    ),
)
