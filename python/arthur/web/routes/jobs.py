"""Jobs: beginning, following and steering imports that workers do in the background."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus

from arthur.errors import BadRequest
from arthur.jobs.showing import job_members, moment
from arthur.jobs.specs import SourceSpec
from arthur.jobs.starting import job_of_rows, job_of_source
from arthur.trades import reach_of
from arthur.types import Job, JobWish, NewJob, Reject
from arthur.web.body import json_object
from arthur.web.http import JSON, Request, Response, json_response
from arthur.web.job_schemas import JobJson, JobOut, JobsOut, JobsParams, QuarantineOut, RetriedOut, RetryParams
from arthur.web.routing import Doc, Handler, Route
from arthur.web.schemas import PageParams, query_model, read_model
from arthur.web.service import Service

KEY = "idempotency-key"
_MAX_KEY = 255
_KEY_TOLD = "Sent again with the same key, and the same body, it is the same job"


def start_job(service: Service, request: Request) -> Response:
    """Begin to import pictures by URL, or from a folder or a store that the server may read."""
    asked = read_model(JobJson, json_object(request))
    job, is_new = service.catalog.jobs.put(_new_job(service, request, asked), now_us=_now_us())
    status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return _shown(job, status, {"location": f"/api/v1/jobs/{job.job_id}"}).touching(job.job_id)


def list_jobs(service: Service, request: Request) -> Response:
    """List jobs, newest first."""
    asked = query_model(JobsParams, request.query)
    found = service.catalog.jobs.jobs(before=_number(asked.cursor), limit=asked.limit, states=asked.state)
    cursor = str(found[-1].number) if len(found) == asked.limit else None
    return json_response({"jobs": [job_members(job, _now_us()) for job in found], "next_cursor": cursor})


def show_job(service: Service, request: Request) -> Response:
    """Show how far a job is, and how long it will take."""
    return _shown(service.catalog.jobs.job(request.params["job_id"]))


def list_quarantine(service: Service, request: Request) -> Response:
    """List what failed for good, with the reason."""
    asked = query_model(PageParams, request.query)
    job_id = request.params["job_id"]
    found = service.catalog.jobs.rejects(job_id, since=_number(asked.cursor) or 0, limit=asked.limit)
    cursor = str(found[-1].number) if len(found) == asked.limit else None
    return json_response({"items": [_members(one) for one in found], "next_cursor": cursor})


def retry_job(service: Service, request: Request) -> Response:
    """Take items out of quarantine, all or those that are named, and try them again."""
    numbers = query_model(RetryParams, request.query).number
    job_id = request.params["job_id"]
    count = service.catalog.jobs.retry(job_id, numbers or None, now_us=_now_us())
    return json_response({"retried": count}).touching(job_id)


def pause_job(service: Service, request: Request) -> Response:
    """Let a job rest; what is in work is finished."""
    return _changed(service, request, "pause")


def resume_job(service: Service, request: Request) -> Response:
    """Let a job go on that was paused, or whose source could not be read."""
    return _changed(service, request, "resume")


def cancel_job(service: Service, request: Request) -> Response:
    """End a job; what it has imported stays."""
    return _changed(service, request, "cancel")


def _new_job(service: Service, request: Request, asked: JobJson) -> NewJob:
    if sum(one is not None for one in (asked.items, asked.path, asked.prefix)) != 1:
        raise BadRequest("exactly one of items, path and prefix is needed")
    key = request.headers.get(KEY, "").strip()
    if len(key) > _MAX_KEY:
        raise BadRequest(f"an idempotency key has at most {_MAX_KEY} characters")
    # keys of one caller say nothing about another's
    key = f"{request.caller.key_id}:{key}" if key else ""
    if asked.items is not None:
        return job_of_rows([row.model_dump() for row in asked.items], idempotency_key=key)
    spec = SourceSpec(asked.path or "", asked.prefix or "", asked.artist_id, confined=asked.path is not None)
    return job_of_source(reach_of(service.settings), spec, idempotency_key=key)


def _changed(service: Service, request: Request, wish: JobWish) -> Response:
    job_id = request.params["job_id"]
    return _shown(service.catalog.jobs.change(job_id, wish, now_us=_now_us())).touching(job_id)


def _shown(job: Job, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    return json_response(job_members(job, _now_us()), status, headers)


def _members(one: Reject) -> dict[str, object]:
    told = {"number": one.number, "place": one.place, "reason": one.reason}
    return {**told, "retriable": one.item is not None, "at": moment(one.at_us)}


def _number(cursor: str | None) -> int | None:
    """Read a cursor. Raises BadRequest for what no list gave."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise BadRequest("the cursor is not one of this list")
    return int(cursor)


def _now_us() -> int:
    return time.time_ns() // 1000


_PATH = "/api/v1/jobs"
_doc = partial(Doc, tag="jobs", answers={200: JobOut}, errors=(409, 429, 503))
_STEERING: tuple[tuple[str, Handler, Doc], ...] = (
    ("pause", pause_job, _doc("Pause a job")),
    ("resume", resume_job, _doc("Resume a job")),
    ("cancel", cancel_job, _doc("Cancel a job")),
    ("retry", retry_job, _doc("Try quarantined items again", query=RetryParams, answers={200: RetriedOut})),
)

ROUTES = (
    Route(
        "POST",
        _PATH,
        start_job,
        _doc(
            "Begin an import",
            bodies={JSON: JobJson},
            answers={201: JobOut, 200: JobOut},
            headers={"Idempotency-Key": _KEY_TOLD},
        ),
        scope="write",
    ),
    Route("GET", _PATH, list_jobs, _doc("Jobs", query=JobsParams, answers={200: JobsOut}), scope="read"),
    Route("GET", f"{_PATH}/{{job_id}}", show_job, _doc("One job"), scope="read"),
    Route(
        "GET",
        f"{_PATH}/{{job_id}}/quarantine",
        list_quarantine,
        _doc("What failed for good", query=PageParams, answers={200: QuarantineOut}),
        scope="read",
    ),
    *(Route("POST", f"{_PATH}/{{job_id}}/{verb}", handler, doc, scope="write") for verb, handler, doc in _STEERING),
)
