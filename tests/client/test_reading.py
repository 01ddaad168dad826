"""Answers as values, and values as the server describes them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arthur.client
from arthur.client import Analytics, ArtistAnalytics, BadAnswer, Likeness, Recognition, SearchAnswer, Similar, Status
from arthur.client.reading import read
from arthur.web import analytics_schemas as told
from arthur.web import answers as served
from arthur.web.routes import all_routes

KINDS = [Recognition, SearchAnswer, Similar, Likeness, Status, Analytics, ArtistAnalytics]
MODELS = {
    "Match": served.MatchOut, "Recognition": served.PhotoOut, "View": served.ViewOut, "Similar": served.SimilarOut,
    "Hit": served.HitOut, "SearchAnswer": served.SearchOut, "Artist": served.ArtistOut, "Entry": served.EntryOut,
    "Likeness": served.LikenessOut, "Progress": served.ProgressOut, "CatalogSize": served.CatalogOut,
    "Status": served.StatusOut, "ArtistAnalytics": told.ArtistAnalyticsOut, "Growth": told.GrowthOut,
    "Quality": told.QualityOut, "NearArtist": told.NearArtistOut, "ConfusableWorks": told.ConfusableOut,
    "Found": told.FoundOut, "Analytics": told.AnalyticsOut, "FoundWork": told.WorkOut, "Day": told.DayOut,
}  # fmt: skip
OURS = {"Status": {"parts"}}
NO_METHODS = {
    "openapi", "docs", "metrics", "alive", "ready", "batch_match",
    "show_artist_cover", "show_entry_cover", "list_engines", "show_calibration",
    "start_job", "list_jobs", "show_job", "list_quarantine", "retry_job", "pause_job", "resume_job", "cancel_job",
}  # fmt: skip
NAMES = {
    "match": "match", "similar": "similar", "search": "search", "put_view": "put", "show_view": "view",
    "remove_view": "remove", "show_thumbnail": "thumbnail", "list_artists": "artists", "show_artist": "artist",
    "remove_artist": "remove", "list_entries": "entries", "show_entry": "entry", "remove_entry": "remove",
    "list_views": "views", "confusables": "confusables", "duplicates": "duplicates", "status": "status",
    "show_usage": "analytics", "show_analytics": "artist_analytics",
    "rebuild": "rebuild",
}  # fmt: skip
SHORT = st.text(max_size=4)
WHOLE = st.integers(-(2**53), 2**53)
SCALARS: Mapping[Any, st.SearchStrategy[Any]] = {
    str: SHORT,
    bool: st.booleans(),
    int: WHOLE,
    float: st.floats(allow_nan=False, allow_infinity=False),
    object: st.none() | st.booleans() | WHOLE | SHORT,
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of an annotation that the answers use."""
    if dataclasses.is_dataclass(kind):
        return st.builds(kind, **{name: values(hint) for name, hint in get_type_hints(kind).items()})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is Mapping:
        return st.dictionaries(SHORT, values(arguments[1]), max_size=2)
    if type(None) in arguments:
        return st.none() | values(arguments[0])
    return SCALARS[kind]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_told_is_what_is_read(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(values(kind))
    sent = orjson.loads(orjson.dumps(value))
    assert read(kind, {**sent, "a member of tomorrow": 1}) == value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=50, deadline=None)
@given(
    members=st.recursive(
        SCALARS[object] | st.lists(st.none()), lambda inner: st.dictionaries(SHORT, inner), max_leaves=5
    )
)
def test_anything_else_is_a_bad_answer(kind: type[Any], members: object) -> None:
    with pytest.raises(BadAnswer):
        read(kind, members)


def test_the_message_names_the_member() -> None:
    with pytest.raises(BadAnswer, match="newer: width: a whole number"):
        read(Likeness, {"newer": {"width": "wide"}})


@pytest.mark.parametrize("name", MODELS)
def test_every_member_is_one_the_server_describes(name: str) -> None:
    ours = {one.name for one in dataclasses.fields(getattr(arthur.client, name))} - OURS.get(name, set())
    assert ours <= set(MODELS[name].model_fields)


def test_every_operation_has_a_method_or_is_named_here() -> None:
    operations = {route.handler.__name__ for route in all_routes() if route.doc is not None}
    assert operations - NO_METHODS - set(NAMES) == set()


def test_only_a_decided_match_is_the_best(recognition: Mapping[str, Any]) -> None:
    unsure = read(Recognition, {**recognition, "decision": "unsure"})
    assert (read(Recognition, recognition).best, unsure.best) == (unsure.matches[0], None)


@pytest.fixture
def recognition() -> Mapping[str, Any]:
    from tests.client.test_shrinking import ANSWER

    return ANSWER


def test_the_client_starts_without_the_server() -> None:
    script = "import sys, arthur.client; print(*sorted(m for m in sys.modules if m.split('.')[0] == 'arthur'))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {name.split(".")[1] for name in loaded if "." in name} == {"client", "errors"}
