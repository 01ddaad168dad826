"""Analytics: what was asked of the whole catalogue, and an artist in numbers."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from arthur.errors import StoreError
from arthur.types import check_id
from arthur.web.analytics_schemas import AnalyticsOut, AnalyticsParams, ArtistAnalyticsOut, ArtistAnalyticsParams
from arthur.web.caller import Caller
from arthur.web.http import Request, Response, json_response
from arthur.web.routing import Doc, Route
from arthur.web.schemas import query_model
from arthur.web.service import Service

if TYPE_CHECKING:
    import polars as pl

    from arthur.analytics import Answered, ArtistAnalytics, FileFormat

_DAY_US = 86_400_000_000
_LOOKED_AT = 32
_NEAR, _MOST_ARTISTS = 50, 10
_MOST_WORKS = 100
_MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_FILES = ("text/csv", _MEDIA["parquet"])


def show_usage(service: Service, request: Request) -> Response:
    """Show what was asked, from the match log; keys restricted to artists are told of answers about their works."""
    params = query_model(AnalyticsParams, request.query)
    since_us = _since_us(params.days)
    answered = answers_since(service, since_us, request.caller.only)
    if params.format != "json":
        table = answered.days() if params.table == "days" else answered.works()
        return file_response(table, params.format, f"arthur-{params.table}")
    whole = request.caller.only is None
    return json_response(
        {
            "since": datetime.fromtimestamp(since_us / 1e6, UTC).isoformat(timespec="seconds"),
            "logged_days": service.settings.match_log_days,
            "complete": answered.complete,
            "answers": answered.rows.height,
            "decisions": answered.decisions(),
            "no_match_rate": answered.share("no_match") if whole else None,
            "unsure_rate": answered.share("unsure"),
            "latency_ms": answered.latency_ms(),
            "top": answered.works().head(params.top).to_dicts(),
            "days": answered.days().to_dicts(),
        }
    )


def show_analytics(service: Service, request: Request) -> Response:
    """Show an artist in numbers."""
    from arthur.analytics import artist_analytics  # see answers_since

    artist_id = check_id(request.params["artist_id"], "artist_id")
    params = query_model(ArtistAnalyticsParams, request.query)
    numbers = artist_analytics(service.catalog, artist_id)
    answered = answers_since(service, _since_us(params.days), (artist_id,))
    if params.format != "json":
        table = numbers.growth_table() if params.table == "growth" else answered.works()
        return file_response(table, params.format, f"arthur-{params.table}")
    found = {
        "logged_days": service.settings.match_log_days,
        "complete": answered.complete,
        "match": answered.decisions()["match"],
        "unsure": answered.decisions()["unsure"],
        "works": answered.works().head(_MOST_WORKS).to_dicts(),
    }
    return json_response({**asdict(numbers), **_looks(service, numbers, request.caller), "found": found})


def _looks(service: Service, numbers: ArtistAnalytics, caller: Caller) -> dict[str, object]:
    """Return what looking at some views of an artist tells, as the members of the answer."""
    from arthur.analytics import confusable_works, nearest_artists, quality_of, sampled_views  # see answers_since

    artist_id, recognizer = numbers.artist_id, service.recognizer
    views = sampled_views(service.catalog, artist_id, of=numbers.views, most=_LOOKED_AT)
    nearest = None
    with suppress(StoreError):
        similar = partial(recognizer.similar, k=_NEAR, artist_ids=caller.artists)
        nearest = nearest_artists(artist_id, views, similar, most=_MOST_ARTISTS)
    return {
        "quality": quality_of(service.catalog, service.blobs, views, verifier=recognizer.verifier),
        "nearest": nearest,
        "confusable": confusable_works(service.catalog, artist_id, only=caller.only, most=_MOST_WORKS),
    }


def _since_us(days: int) -> int:
    return time.time_ns() // 1000 - days * _DAY_US


def answers_since(service: Service, since_us: int, only: tuple[str, ...] | None) -> Answered:
    """Return the logged answers since a time, about `only` these artists' works unless it is None."""
    from arthur.analytics import read_answers  # polars takes half a second to load, and few ask for this

    return read_answers(service.catalog.match_log, since_us=since_us, only=only)


def file_response(table: pl.DataFrame, form: FileFormat, name: str) -> Response:
    """Return a table as a file to be kept."""
    from arthur.analytics import written  # see answers_since

    headers = {"content-type": _MEDIA[form], "content-disposition": f'attachment; filename="{name}.{form}"'}
    return Response(200, written(table, form), headers)


ROUTES = (
    Route(
        "GET",
        "/api/v1/analytics",
        show_usage,
        Doc(
            "What was asked, in numbers", "catalogue", query=AnalyticsParams, answers={200: AnalyticsOut}, files=_FILES
        ),
        scope="read",
        confined=True,
    ),
    Route(
        "GET",
        "/api/v1/artists/{artist_id}/analytics",
        show_analytics,
        Doc(
            "An artist in numbers",
            "catalogue",
            query=ArtistAnalyticsParams,
            answers={200: ArtistAnalyticsOut},
            files=_FILES,
        ),
        scope="read",
    ),
)
