"""Between the server and the handlers: routing, admission, limits, errors, CORS, request ids and counting."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

import structlog

from arthur.access import without_secrets
from arthur.errors import ArthurError, NotFound, Overloaded
from arthur.web.auditing import AUDITED, Ledger
from arthur.web.body import check_length, check_size
from arthur.web.gate import Gate
from arthur.web.headers import check_head, secured
from arthur.web.http import MethodNotAllowedError, Request, Response, legacy_error, problem, status_of
from arthur.web.metrics import Answered
from arthur.web.routing import Route, Table
from arthur.web.service import Service

log = structlog.get_logger(__name__)

_SANE_ID = re.compile(r"[A-Za-z0-9._~+/=:-]{1,128}")
_ROOM = 2**20
_EXPOSED = "X-Request-ID, Server-Timing, ETag, Retry-After, Location"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with a request: run `route` on `request`, or send `answer` at once."""

    request: Request
    route: Route | None = None
    answer: Response | None = None


class App:
    """Answers requests by the route table. Callable from any thread; never raises."""

    def __init__(self, service: Service, table: Table, *, gate: Gate, ledger: Ledger) -> None:
        self.service = service
        self.table = table
        self.gate = gate
        self._ledger = ledger

    def plan(self, request: Request) -> Plan:
        """Find the route of a request and let it in, in microseconds.

        Unknown paths, methods, OPTIONS and callers that may not come in are answered at once.
        """
        try:
            check_head(request)
            request = replace(request, caller=self.gate.arrive(request))
            methods, params = self.table.find(request.path)
        except ArthurError as error:
            return Plan(request, answer=told(request, error))
        request = replace(request, params=params)
        route = methods.get("GET" if request.method == "HEAD" else request.method)
        if route is not None:
            return self._let_in(request, route)
        if not methods:
            return Plan(request, answer=told(request, NotFound("Not Found")))
        allowed = _allowed(methods)
        if request.method == "OPTIONS":
            return Plan(request, answer=Response(HTTPStatus.NO_CONTENT, b"", {"allow": allowed}))
        return Plan(
            request, answer=told(request, MethodNotAllowedError("Method Not Allowed")).having({"allow": allowed})
        )

    def _let_in(self, request: Request, route: Route) -> Plan:
        try:
            return Plan(replace(request, caller=self.gate.enter(route, request)), route)
        except ArthurError as error:
            asked = {
                "path": without_secrets(request.path),
                "client": request.caller.client,
                "request_id": request.request_id,
            }
            log.info("refused", **asked, status=int(status_of(error)), error=str(error))
            return Plan(request, route, told(request, error, route))

    def run(self, plan: Plan) -> Response:
        """Run the handler of a plan, and turn whatever it raises into an answer. Blocks.

        Whatever is logged meanwhile in this thread carries the request id.
        """
        request, route = plan.request, plan.route
        if route is None:
            return plan.answer or told(request, NotFound("Not Found"))
        with structlog.contextvars.bound_contextvars(request_id=request.request_id):
            return self._traced(request, route)

    def _traced(self, request: Request, route: Route) -> Response:
        if not route.admitted:
            return self._run(request, route)
        facts = {
            "http.request.method": request.method,
            "http.route": route.path,
            "arthur.request_id": request.request_id,
        }
        with self.service.tracing.request(f"{request.method} {route.path}", request.headers, facts) as answered:
            response = self._run(request, route)
            answered(response.status)
        return response

    def _run(self, request: Request, route: Route) -> Response:
        try:
            check_length(request)
            check_size(request, self.body_limit(route))
            if route.scope in AUDITED:
                return self._ledger.run(route, request, lambda: route.handler(self.service, request))
            return route.handler(self.service, request)
        except ArthurError as error:
            if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
                path = without_secrets(request.path)
                log.error("request_failed", path=path, error=str(error))  # noqa: TRY400  # one line says it
            return told(request, error, route)
        except Exception as error:  # the one place where a bug becomes a 500
            log.exception("bug", path=without_secrets(request.path))
            self.service.reports.tell(error, {"request_id": request.request_id, "route": route.path})
            return told(request, error, route)

    def body_limit(self, route: Route) -> int:
        """Return the bytes that a body may have: as many pictures as may come, in base64, and room for the rest."""
        return route.pictures * (self.service.settings.max_image_bytes * 4 // 3) + _ROOM

    def refuse(self, plan: Plan) -> Response:
        """Answer a request for which there is no place."""
        return told(plan.request, Overloaded(), plan.route)

    def finish(self, plan: Plan, response: Response) -> Response:
        """Count the answer, and add what every answer carries."""
        request, route = plan.request, plan.route
        answered = Answered(
            route=route.path if route else "",
            method=request.method,
            status=response.status,
            problem=response.problem,
            seconds=time.monotonic() - request.received_at,
            request_id=request.request_id,
        )
        self.service.metrics.answered(answered)
        headers = {"x-request-id": request.request_id, **self._cors(request)}
        if "vary" in headers and "vary" in response.headers:
            headers["vary"] = f"{response.headers['vary']}, {headers['vary']}"
        return secured(request, response).having(headers)

    def _cors(self, request: Request) -> Mapping[str, str]:
        """Return the CORS headers for a browser's request from an allowed origin."""
        origins = self.service.settings.cors_origins
        origin = request.headers.get("origin")
        if origin is None or not origins:
            return {}
        if "*" not in origins and origin not in origins:
            return {"vary": "Origin"}
        headers = {
            "access-control-allow-origin": "*" if "*" in origins else origin,
            "access-control-expose-headers": _EXPOSED,
            "vary": "Origin",
        }
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            headers["access-control-allow-methods"] = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
            headers["access-control-allow-headers"] = request.headers.get("access-control-request-headers", "*")
            headers["access-control-max-age"] = "3600"
        return headers


def request_id(given: str | None) -> str:
    """Return the caller's request id if it is short and plain, else a new one."""
    return given if given is not None and _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def told(request: Request, error: Exception, route: Route | None = None) -> Response:
    """Tell an error in the manner of the route, or of the path where there is no route."""
    legacy = route.style == "legacy" if route else not request.path.startswith("/api/")
    return legacy_error(error) if legacy else problem(error, request.request_id)


def _allowed(methods: Mapping[str, Route]) -> str:
    also = {"HEAD"} if "GET" in methods else set()
    return ", ".join(sorted({*methods, *also, "OPTIONS"}))
