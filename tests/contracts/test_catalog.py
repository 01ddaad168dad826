"""Laws of every Catalog."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from arthur.catalog import Catalog, open_catalog
from arthur.errors import BadRequest, ConfigError, Conflict, EngineMismatch, EngineReplaced, StoreError
from arthur.types import (
    ApiKey,
    Counts,
    JsonValue,
    Likeness,
    LikenessKind,
    LocalFeatures,
    Metadata,
    NewView,
    Passport,
    ViewId,
)

KINDS: tuple[LikenessKind, ...] = ("confusable", "duplicate")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    return f"sqlite:///{tmp_path}/catalog.db"


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    opened = open_catalog(url)
    yield opened
    opened.close()


def unit(seed: int, dim: int = 8) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
    return vector / np.linalg.norm(vector)


def new(name: str, *, seed: int = 0, dim: int = 8, fingerprint: str = "f", metadata: Metadata | None = None) -> NewView:
    """`name` is artist/entry/view."""
    view = ViewId(*name.split("/"))
    return NewView(view, unit(seed, dim), fingerprint, "hash", "source", "jpeg", 640, 480, 9, metadata or {})


def described(name: str, data: bytes, *, by: str = "verifier") -> NewView:
    """A view with packed local features."""
    return replace(new(name), features=LocalFeatures(by, data))


def names(catalog: Catalog, artist_id: str, entry_id: str | None = None) -> list[str]:
    rows = catalog.views_of(artist_id, entry_id, cursor=None, limit=1000).rows
    return [row.view.hierarchical for row in rows]


def live_keys(catalog: Catalog, since: int, limit: int, fingerprint: str = "f") -> set[int]:
    """Follow the changes to their end, as an index does."""
    live: set[int] = set()
    more = True
    while more:
        changes = catalog.changes(since, limit, fingerprint)
        live.difference_update(changes.removed.tolist())
        live.update(changes.keys.tolist())
        since, more = changes.upto, changes.more
    return live


def test_a_new_catalogue_is_empty(catalog: Catalog) -> None:
    assert catalog.counts() == Counts(0, 0, 0)
    assert catalog.latest() == 0
    assert catalog.artists(cursor=None, limit=10).rows == ()
    assert catalog.changes(0, 10, "f").upto == 0


def test_put_returns_what_is_then_stored(catalog: Catalog) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    (put,) = catalog.put([new("a/e/v", metadata={"title": "Ünï", "n": [1, {"x": None}]})])
    assert put.created
    assert put.stored == catalog.view(ViewId("a", "e", "v")) == catalog.find(put.stored.vector_id)
    assert catalog.views(np.array([put.stored.key])) == {put.stored.key: put.stored}
    assert put.stored.metadata == {"title": "Ünï", "n": [1, {"x": None}]}
    assert before <= put.stored.created_at <= datetime.now(UTC)


def test_put_of_nothing_changes_nothing(catalog: Catalog) -> None:
    assert catalog.put([]) == []
    assert catalog.latest() == 0


def test_what_is_not_there_is_none_or_missing(catalog: Catalog) -> None:
    assert catalog.view(ViewId("a", "e", "v")) is None
    assert catalog.find("00000000-0000-5000-8000-000000000000") is None
    assert catalog.views(np.array([5])) == {}
    assert catalog.vectors(np.array([5]), "f").get(5) is None
    assert catalog.note("n") is None


def test_keys_are_the_sequence(catalog: Catalog) -> None:
    puts = catalog.put([new("a/e/v"), new("a/e/w"), new("b/e/v")])
    assert [put.stored.key for put in puts] == [1, 2, 3]
    assert catalog.latest() == 3


def test_put_replaces_and_ends_the_key(catalog: Catalog) -> None:
    first, second = (catalog.put([new("a/e/v", seed=seed)])[0] for seed in (1, 2))
    assert second.replaced_key == first.stored.key
    assert second.stored.created_at == first.stored.created_at
    assert list(catalog.views(np.array([1, 2]))) == [2]
    assert catalog.vectors(np.array([1]), "f").get(1) is None
    assert catalog.counts() == Counts(1, 1, 1)


def test_of_several_views_of_one_name_the_last_stays(catalog: Catalog) -> None:
    puts = catalog.put([new("a/e/v", metadata={"i": i}) for i in range(3)])
    assert [put.replaced_key for put in puts] == [None, 1, 2]
    stored = catalog.view(ViewId("a", "e", "v"))
    assert stored == puts[2].stored
    assert catalog.counts().views == 1
    assert live_keys(catalog, 0, 1) == {3}


def test_vectors_come_back_within_float16(catalog: Catalog) -> None:
    catalog.put([new("a/e/v", seed=7, dim=512)])
    vector = catalog.vectors(np.array([1]), "f").get(1)
    assert vector is not None
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, unit(7, 512), atol=2e-4)
    np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-6)


def test_features_come_back_as_they_were_put(catalog: Catalog) -> None:
    catalog.put([described("a/e/v", b"one"), described("a/e/w", b"two", by="other"), new("a/e/x")])
    assert catalog.features(np.array([1, 2, 3, 9]), "verifier") == {1: b"one"}
    assert catalog.features(np.array([1, 2, 3]), "other") == {2: b"two"}


def test_features_end_with_their_view(catalog: Catalog) -> None:
    catalog.put([described("a/e/v", b"one")])
    catalog.put([described("a/e/v", b"two")])
    assert catalog.features(np.array([1, 2]), "verifier") == {2: b"two"}
    catalog.remove("a")
    assert catalog.features(np.array([2]), "verifier") == {}


def test_feature_changes_are_those_of_one_verifier(catalog: Catalog) -> None:
    catalog.put([described("a/e/v", b"one"), new("a/e/w"), described("b/e/v", b"two")])
    catalog.put([described("a/e/v", b"new")])
    (number_a, number_b) = (catalog.artist_numbers([name])[0] for name in "ab")
    changes = catalog.feature_changes(0, 10, "verifier")
    assert (changes.keys.tolist(), changes.features) == ([3, 4], (b"two", b"new"))
    assert changes.artists.tolist() == [number_b, number_a]
    assert (changes.removed.tolist(), changes.upto, changes.more) == ([1], 4, False)
    assert catalog.feature_changes(0, 10, "other").features == ()


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_feature_changes_at_any_limit_join_to_the_whole(catalog: Catalog, limit: int) -> None:
    catalog.put([described(f"a/e/{place}", bytes([place])) for place in range(5)])
    since, found, more = 0, list[bytes](), True
    while more:
        changes = catalog.feature_changes(since, limit, "verifier")
        found.extend(changes.features)
        since, more = changes.upto, changes.more
    assert found == [bytes([place]) for place in range(5)]


def test_features_beyond_their_bound_are_refused(catalog: Catalog) -> None:
    with pytest.raises(BadRequest, match="local features"):
        catalog.put([described("a/e/v", bytes(65_537))])


def likeness(key: int, other: int, kind: LikenessKind = "confusable") -> Likeness:
    return Likeness(key, other, kind, 0.75, 0.5, inliers=9, coverage=0.25)


def test_likenesses_are_listed_newest_first(catalog: Catalog) -> None:
    catalog.put([new(f"a/{place}/v") for place in range(4)])
    catalog.put_likenesses([likeness(1, 2), likeness(4, 1), likeness(3, 2, "duplicate")])
    page = catalog.likenesses("confusable", cursor=None, limit=10)
    assert [(row.newer.key, row.older.key) for row in page.rows] == [(4, 1), (2, 1)]
    assert (page.rows[0].probability, page.rows[0].inliers, page.next_cursor) == (0.75, 9, None)


def test_pages_of_likenesses_join_to_the_whole_list(catalog: Catalog) -> None:
    catalog.put([new(f"a/{place}/v") for place in range(5)])
    catalog.put_likenesses([likeness(5, other) for other in range(1, 5)])
    first = catalog.likenesses("confusable", cursor=None, limit=3)
    second = catalog.likenesses("confusable", cursor=first.next_cursor, limit=3)
    assert [row.older.key for row in (*first.rows, *second.rows)] == [4, 3, 2, 1]


def test_a_likeness_is_replaced_and_ends_with_either_view(catalog: Catalog) -> None:
    catalog.put([new("a/e/v"), new("a/f/v"), new("b/e/v")])
    catalog.put_likenesses([likeness(1, 2), likeness(2, 3)])
    catalog.put_likenesses([likeness(2, 1, "duplicate")])
    assert len(catalog.likenesses("duplicate", cursor=None, limit=9).rows) == 1
    catalog.remove("a", "f")
    assert [catalog.likenesses(kind, cursor=None, limit=9).rows for kind in KINDS] == [(), ()]


def test_what_is_compared_again_keeps_only_what_is_found_again(catalog: Catalog) -> None:
    catalog.put([new(f"a/{place}/v") for place in range(4)])
    catalog.put_likenesses([likeness(2, 1), likeness(3, 1), likeness(4, 2)])
    catalog.put_likenesses([likeness(3, 1)], compared=[2, 3])
    rows = catalog.likenesses("confusable", cursor=None, limit=9).rows
    assert [(row.newer.key, row.older.key) for row in rows] == [(4, 2), (3, 1)]


def test_a_likeness_of_an_ended_view_is_ignored(catalog: Catalog) -> None:
    catalog.put([new("a/e/v")])
    catalog.put_likenesses([likeness(1, 7)])
    assert catalog.likenesses("confusable", cursor=None, limit=9).rows == ()


def test_a_numbers_of_artists_are_those_of_the_changes(catalog: Catalog) -> None:
    catalog.put([new("a/e/v"), new("b/e/v"), new("a/f/v")])
    rows = catalog.artists(cursor=None, limit=10).rows
    numbers = {row.artist_id: row.number for row in rows}
    assert catalog.changes(0, 10, "f").artists.tolist() == [numbers["a"], numbers["b"], numbers["a"]]
    assert set(catalog.artist_numbers(["a", "b", "nobody", "a"])) == set(numbers.values())


@pytest.mark.parametrize(
    ("scope", "ended", "left"),
    [
        (("a", "e", "v"), [1], Counts(2, 3, 3)),
        (("a", "e", None), [1, 2], Counts(2, 2, 2)),
        (("a", None, None), [1, 2, 3], Counts(1, 1, 1)),
        (("a", "e", "x"), [], Counts(2, 3, 4)),
        (("x", None, None), [], Counts(2, 3, 4)),
    ],
)
def test_remove_ends_everything_below(
    catalog: Catalog, scope: tuple[str, str | None, str | None], ended: list[int], left: Counts
) -> None:
    catalog.put([new("a/e/v"), new("a/e/w"), new("a/f/v"), new("b/e/v")])
    assert catalog.remove(*scope).tolist() == ended
    assert catalog.counts() == left
    assert catalog.latest() == 4 + len(ended)
    assert sorted(catalog.changes(4, 10, "f").removed.tolist()) == ended


def test_emptied_artists_and_entries_disappear(catalog: Catalog) -> None:
    catalog.put([new("a/e/v"), new("a/f/v"), new("b/e/v")])
    catalog.remove("a", "e", "v")
    catalog.remove("b", "e", "v")
    assert [row.entry_id for row in catalog.entries("a", cursor=None, limit=10).rows] == ["f"]
    assert [row.artist_id for row in catalog.artists(cursor=None, limit=10).rows] == ["a"]
    assert catalog.artist_numbers(["b"]) == ()


def test_an_artist_that_comes_back_has_a_new_number(catalog: Catalog) -> None:
    catalog.put([new("a/e/v")])
    (before,) = catalog.artist_numbers(["a"])
    catalog.remove("a")
    catalog.put([new("b/e/v"), new("a/e/v")])
    assert before not in catalog.artist_numbers(["a", "b"])


def test_a_view_without_its_entry_cannot_be_removed(catalog: Catalog) -> None:
    with pytest.raises(BadRequest, match="artist_id, entry_id and view_id"):
        catalog.remove("a", None, "v")


def test_keys_are_never_reused(catalog: Catalog, url: str) -> None:
    catalog.put([new("a/e/v")])
    catalog.remove("a")
    catalog.close()
    again = open_catalog(url)
    assert again.latest() == 2
    assert again.put([new("a/e/v")])[0].stored.key == 3
    again.close()


def test_ids_are_compared_byte_by_byte(catalog: Catalog) -> None:
    ids = ["A", "a", "a ", "é", "e\u0301", "1", "01", "%", "'; --", "\U0001f5bc"]
    catalog.put([new(f"{artist_id}/e/v") for artist_id in ids])
    listed = [row.artist_id for row in catalog.artists(cursor=None, limit=100).rows]
    assert listed == sorted(ids)
    assert catalog.remove("a").tolist() == [2]


@pytest.mark.parametrize(
    "use",
    [
        lambda catalog: catalog.find("\ud800"),
        lambda catalog: catalog.remove("\ud800"),
        lambda catalog: catalog.artist_numbers(["\ud800"]),
        lambda catalog: catalog.entries("\ud800", cursor=None, limit=1),
        lambda catalog: catalog.put_note("\ud800", ""),
    ],
)
def test_text_that_is_no_unicode_is_refused(catalog: Catalog, use: Callable[[Catalog], object]) -> None:
    with pytest.raises(BadRequest, match="cannot be stored"):
        use(catalog)


def test_a_shared_vector_id_finds_the_newest_view(catalog: Catalog) -> None:
    first, second = catalog.put([new("a.b/c/d"), new("a/b.c/d")])
    assert first.stored.vector_id == second.stored.vector_id
    assert catalog.find(first.stored.vector_id) == second.stored


def test_pages_join_to_the_whole_list(catalog: Catalog) -> None:
    catalog.put([new(f"a/{entry}/{view}") for entry in "cab" for view in "zxy"])
    pages, cursor = [], None
    for _ in range(5):
        page = catalog.views_of("a", None, cursor=cursor, limit=2)
        pages.extend(row.view.hierarchical for row in page.rows)
        cursor = page.next_cursor
    assert pages == [f"a.{entry}.{view}" for entry in "abc" for view in "xyz"]
    assert cursor is None


def test_a_page_goes_on_behind_a_removed_row(catalog: Catalog) -> None:
    catalog.put([new(f"{artist}/e/v") for artist in "abcd"])
    page = catalog.artists(cursor=None, limit=2)
    catalog.remove("b")
    rest = catalog.artists(cursor=page.next_cursor, limit=2)
    assert [row.artist_id for row in rest.rows] == ["c", "d"]
    assert rest.next_cursor is None


def test_lists_count_what_is_below(catalog: Catalog) -> None:
    catalog.put([new("a/e/v"), new("a/e/w"), new("a/f/v"), new("b/e/v")])
    assert [(row.entries, row.views) for row in catalog.artists(cursor=None, limit=5).rows] == [(2, 3), (1, 1)]
    assert [row.views for row in catalog.entries("a", cursor=None, limit=5).rows] == [2, 1]
    assert names(catalog, "a", "e") == ["a.e.v", "a.e.w"]


@pytest.mark.parametrize("cursor", ["", "!", "AAAA", "e30=", "WzFd", "WyJhIiwiYiJd", "é", "\ud800", "A" * 50_000])
def test_a_cursor_not_given_by_the_catalogue_is_refused(catalog: Catalog, cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        catalog.artists(cursor=cursor, limit=1)


@pytest.mark.parametrize("artist_id", ["b", "\ud800"])
def test_a_cursor_of_another_list_is_refused(catalog: Catalog, artist_id: str) -> None:
    catalog.put([new("a/e/v"), new("a/f/v"), new("b/e/v")])
    cursor = catalog.entries("a", cursor=None, limit=1).next_cursor
    with pytest.raises(BadRequest, match="cursor"):
        catalog.entries(artist_id, cursor=cursor, limit=1)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_of_another_size_is_refused(catalog: Catalog, limit: int) -> None:
    with pytest.raises(BadRequest, match="limit"):
        catalog.artists(cursor=None, limit=limit)


@pytest.mark.parametrize(("since", "limit"), [(-1, 1), (0, 0)])
def test_changes_refuses_impossible_numbers(catalog: Catalog, since: int, limit: int) -> None:
    with pytest.raises(BadRequest, match="since"):
        catalog.changes(since, limit, "f")


def test_changes_are_those_of_one_engine(catalog: Catalog) -> None:
    catalog.put([new("a/e/v"), new("a/e/w")])
    catalog.put_vectors(np.array([1]), unit(5, 4)[None], "g")
    assert live_keys(catalog, 0, 10, "f") == {1, 2}
    assert live_keys(catalog, 0, 10, "g") == {1}
    assert catalog.changes(0, 10, "g").vectors.shape == (1, 4)
    assert catalog.vectors(np.array([2]), "g").get(2) is None


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_changes_of_an_engine_not_in_force_end_before_the_first_view_it_lacks(catalog: Catalog, limit: int) -> None:
    catalog.put([new(f"a/e/{place}") for place in range(4)])
    catalog.put_vectors(np.array([1, 2, 4]), np.tile(unit(5), (3, 1)), "g")
    assert live_keys(catalog, 0, limit, "g") == {1, 2}
    assert (catalog.changes(2, limit, "g").upto, catalog.changes(2, limit, "g").more) == (2, False)
    catalog.put_vectors(np.array([3]), unit(6)[None], "g")
    assert live_keys(catalog, 2, limit, "g") == {3, 4}


def test_changes_of_an_unknown_engine_end_before_the_first_view(catalog: Catalog) -> None:
    catalog.put([new("a/e/v"), new("a/e/v")])
    changes = catalog.changes(0, 10, "unknown")
    assert (len(changes.keys), changes.upto, changes.more) == (0, 1, False)


def test_the_first_view_puts_its_engine_in_force(catalog: Catalog) -> None:
    assert catalog.engine() == ""
    catalog.put([new("a/e/v")])
    assert catalog.engine() == "f"
    with pytest.raises(EngineReplaced):
        catalog.put([new("a/e/w", fingerprint="g", dim=4)])
    assert (catalog.counts().views, [one.fingerprint for one in catalog.engines()]) == (1, ["f"])


def test_an_emptied_catalogue_takes_another_engine(catalog: Catalog) -> None:
    catalog.put([new("a/e/v")])
    catalog.remove("a")
    assert catalog.engine() == ""
    catalog.put([new("a/e/w", fingerprint="g", dim=4)])
    assert catalog.engine() == "g"


def test_callers_of_two_engines_never_share_a_new_catalogue(catalog: Catalog) -> None:
    def put(turn: int) -> bool:
        try:
            return bool(catalog.put([new(f"a/e/{turn}", fingerprint="fg"[turn % 2])]))
        except EngineReplaced:
            return False

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(put, range(16)))
    assert taken in ([True, False] * 8, [False, True] * 8)


def test_vectors_are_put_beside_others_and_only_once(catalog: Catalog) -> None:
    catalog.put([new("a/e/v", seed=1), new("a/e/w", seed=2)])
    keys = np.array([1, 2, 7])
    vectors = np.stack([unit(seed, 4) for seed in (3, 4, 5)])
    assert catalog.unembedded("g", 0, 10).tolist() == [1, 2]
    assert catalog.put_vectors(keys, vectors, "g") == 2
    assert catalog.put_vectors(keys, vectors[::-1], "g") == 0
    np.testing.assert_allclose(catalog.vectors(keys, "g")[1], unit(3, 4), atol=1e-3)
    np.testing.assert_allclose(catalog.vectors(keys, "f")[1], unit(1), atol=1e-3)
    assert (catalog.unembedded("g", 0, 10).tolist(), catalog.latest()) == ([], 2)


def test_unembedded_views_come_in_pages(catalog: Catalog) -> None:
    catalog.put([new(f"a/e/{place}") for place in range(5)])
    catalog.put_vectors(np.array([2]), unit(0, 4)[None], "g")
    assert catalog.unembedded("g", 0, 2).tolist() == [1, 3]
    assert catalog.unembedded("g", 3, 2).tolist() == [4, 5]
    assert catalog.unembedded("f", 0, 2).tolist() == []


def test_the_engine_is_switched_when_every_view_has_its_vector(catalog: Catalog) -> None:
    catalog.put([new("a/e/v"), new("a/e/w")])
    catalog.put_vectors(np.array([1]), unit(0, 4)[None], "g")
    assert (catalog.switch("g"), catalog.engine()) == (1, "f")
    catalog.put_vectors(np.array([2]), unit(1, 4)[None], "g", passport=Passport("1", "{}", "here"))
    assert (catalog.switch("g"), catalog.engine()) == (0, "g")
    known = [(one.fingerprint, one.source, one.vectors, one.in_force, one.previous) for one in catalog.engines()]
    assert known == [("f", "", 2, False, True), ("g", "here", 2, True, False)]
    with pytest.raises(EngineReplaced):
        catalog.put([new("a/e/x")])


def test_an_empty_catalogue_is_not_switched(catalog: Catalog) -> None:
    with pytest.raises(Conflict, match="no views"):
        catalog.switch("g")


def test_dropped_vectors_leave_those_in_force(catalog: Catalog) -> None:
    catalog.put([new("a/e/v")])
    catalog.put_vectors(np.array([1]), unit(0, 4)[None], "g")
    with pytest.raises(Conflict, match="in force"):
        catalog.drop_vectors("f")
    assert catalog.drop_vectors("g") == 1
    assert ([one.fingerprint for one in catalog.engines()], len(catalog.vectors(np.array([1]), "f"))) == (["f"], 1)


def test_a_passport_is_kept_once(catalog: Catalog) -> None:
    first, second = Passport("1", "{}"), Passport("2", "[]")
    catalog.put([replace(new(f"a/e/{place}"), passport=first) for place in range(3)])
    catalog.put_vectors(np.array([1]), unit(0, 4)[None], "g", passport=second)
    assert catalog.passports() == {"1": "{}", "2": "[]"}


def test_a_view_that_came_and_went_between_polls_is_not_put(catalog: Catalog) -> None:
    catalog.put([new("a/e/v")])
    catalog.remove("a")
    catalog.put([new("a/e/w")])
    changes = catalog.changes(0, 10, "f")
    assert (changes.keys.tolist(), changes.removed.tolist(), changes.upto) == ([3], [1], 3)


def test_a_follower_ahead_of_the_catalogue_is_told_so(catalog: Catalog) -> None:
    catalog.put([new("a/e/v")])
    changes = catalog.changes(9, 10, "f")
    assert (len(changes.keys), len(changes.removed), changes.upto, changes.more) == (0, 0, 1, False)


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_changes_at_any_limit_end_with_the_live_views(catalog: Catalog, limit: int) -> None:
    catalog.put([new(f"a/e/{i}") for i in range(5)])
    catalog.put([new("a/e/1"), new("a/e/1"), new("a/e/7")])
    catalog.remove("a", "e", "2")
    assert live_keys(catalog, 0, limit) == {1, 4, 5, 7, 8}


@pytest.mark.parametrize(("limit", "upto", "more"), [(1, 1, True), (2, 2, True), (3, 3, False), (4, 3, False)])
def test_more_is_told_exactly_when_puts_go_on(catalog: Catalog, limit: int, upto: int, more: bool) -> None:  # noqa: FBT001
    catalog.put([new(f"a/e/{i}") for i in range(3)])
    changes = catalog.changes(0, limit, "f")
    assert (changes.upto, changes.more) == (upto, more)


@pytest.mark.parametrize(("limit", "upto", "more"), [(1, 4, True), (2, 5, True), (3, 6, False), (4, 6, False)])
def test_more_is_told_exactly_when_endings_go_on(catalog: Catalog, limit: int, upto: int, more: bool) -> None:  # noqa: FBT001
    catalog.put([new(f"a/e/{i}") for i in range(3)])
    catalog.remove("a")
    changes = catalog.changes(0, limit, "f")
    assert (changes.upto, changes.more) == (upto, more)


def test_vectors_of_several_engines_or_lengths_are_refused(catalog: Catalog) -> None:
    with pytest.raises(EngineMismatch):
        catalog.put([new("a/e/v"), new("a/e/w", fingerprint="g")])
    with pytest.raises(EngineMismatch):
        catalog.put([new("a/e/v"), new("a/e/w", dim=4)])
    assert catalog.latest() == 0


def test_another_length_of_a_known_engine_is_refused(catalog: Catalog) -> None:
    catalog.put([new("a/e/v")])
    with pytest.raises(EngineMismatch, match="8 numbers in this catalogue, not 4"):
        catalog.put([new("a/e/w", dim=4)])
    assert catalog.latest() == 1


@pytest.mark.parametrize("scale", [0, np.nan, np.inf, 3])
def test_a_vector_not_of_length_one_is_refused(catalog: Catalog, scale: float) -> None:
    good = new("a/e/v")
    bad = NewView(good.view, np.full(8, np.float32(scale)), "f", "", "", "jpeg", 1, 1, 1)
    with pytest.raises(BadRequest, match="vector"):
        catalog.put([bad])


def nested(depth: int) -> dict[str, JsonValue]:
    inner: dict[str, JsonValue] = {}
    for _ in range(depth - 1):
        inner = {"x": inner}
    return inner


def test_metadata_at_its_bounds_is_kept(catalog: Catalog) -> None:
    catalog.put([new("a/e/v", metadata=nested(32)), new("a/e/w", metadata={"x": "y" * (2**16 - 8)})])
    assert catalog.counts().views == 2


@pytest.mark.parametrize(
    "metadata",
    [
        nested(33),
        nested(100_000),
        {"x": "y" * 2**16},
        {"x": "\x01" * 2**15},
        {"x": [0] * 2**17},
        {"x": float("nan")},
        {"x": 2**64},
        {"x": "\ud800"},
        {"x": {1: 2}},
        {"x": object()},
    ],
    ids=["deep", "very deep", "long", "long encoded", "wide", "nan", "integer", "surrogate", "name", "object"],
)
def test_metadata_beyond_its_bounds_is_refused(catalog: Catalog, metadata: dict[str, JsonValue]) -> None:
    with pytest.raises(BadRequest, match="metadata"):
        catalog.put([new("a/e/v", metadata=metadata)])
    assert catalog.latest() == 0


def test_notes_are_replaced(catalog: Catalog) -> None:
    catalog.put_note("calibration", "1")
    catalog.put_note("calibration", "2")
    assert catalog.note("calibration") == "2"


def test_signs_are_found_replaced_and_dropped_by_how_their_names_begin(catalog: Catalog) -> None:
    for name, text in (("a/1", "x"), ("a/1", "y"), ("a/2", "z"), ("b_", ""), ("bc", "")):
        catalog.signs.put(name, text)
    assert catalog.signs.under("a/") == {"a/1": "y", "a/2": "z"}
    assert catalog.signs.under("b_") == {"b_": ""}
    catalog.signs.drop("a/")
    assert catalog.signs.under("").keys() == {"b_", "bc"}
    assert catalog.note("b_") is None


def test_an_api_key_is_kept_as_put(catalog: Catalog) -> None:
    key = ApiKey("id", "Ünï", b"\0\xff" * 16, "write", ("a", 'b"c'), 5, expires_us=9, replaces="other")
    assert (catalog.api_keys(), catalog.api_keys_revision()) == ((), 0)
    catalog.put_api_keys([key])
    assert (catalog.api_keys(), catalog.api_keys_revision()) == ((key,), 1)


def test_a_revoked_api_key_stays_revoked(catalog: Catalog) -> None:
    key = ApiKey("id", "name", b"digest", "read", (), 5)
    catalog.put_api_keys([replace(key, revoked_us=7)])
    catalog.put_api_keys([replace(key, expires_us=8), replace(key, key_id="second")])
    assert [(one.revoked_us, one.expires_us) for one in catalog.api_keys()] == [(7, 8), (None, None)]
    assert catalog.api_keys_revision() == 2


def test_the_last_use_of_an_api_key_only_moves_forward(catalog: Catalog) -> None:
    key = ApiKey("id", "name", b"digest", "read", (), 5)
    catalog.put_api_keys([key])
    for when in (10, 4):
        catalog.note_api_key_uses({"id": when, "unknown": when})
    catalog.put_api_keys([key])
    assert catalog.api_keys()[0].used_us == 10


def test_artists_are_listed_among_those_asked_for(catalog: Catalog) -> None:
    catalog.put([new(f"{artist}/e/v") for artist in "abc"])
    page = catalog.artists(cursor=None, limit=1, only=["c", "a", "nobody"])
    rest = catalog.artists(cursor=page.next_cursor, limit=1, only=["c", "a", "nobody"])
    assert [row.artist_id for row in (*page.rows, *rest.rows)] == ["a", "c"]
    assert catalog.artists(cursor=None, limit=9, only=[]).rows == ()


def test_a_likeness_is_listed_where_both_its_artists_are_asked_for(catalog: Catalog) -> None:
    keys = [put.stored.key for put in catalog.put([new("a/e/v"), new("a/f/v"), new("b/e/v")])]
    pairs = [Likeness(keys[one], keys[other], "duplicate", 0.9, 0.9, 1, 0.5) for one, other in ((0, 1), (0, 2))]
    catalog.put_likenesses(pairs)
    found = [len(catalog.likenesses("duplicate", cursor=None, limit=9, only=only).rows) for only in (None, ["a"], [])]
    assert found == [2, 1, 0]


def test_everything_is_there_after_reopening(catalog: Catalog, url: str) -> None:
    (put,) = catalog.put([new("a/e/v", metadata={"x": 1})])
    catalog.put_note("n", "1")
    catalog.close()
    again = open_catalog(url)
    assert again.view(put.stored.view) == put.stored
    assert again.note("n") == "1"
    again.close()


def test_another_opening_sees_each_write_at_once(catalog: Catalog, url: str) -> None:
    other = open_catalog(url)
    assert other.latest() == 0
    (put,) = catalog.put([new("a/e/v")])
    assert other.latest() == catalog.latest() == 1
    assert other.counts() == catalog.counts() == Counts(1, 1, 1)
    assert other.view(put.stored.view) == put.stored
    other.close()


def test_waiting_ends_with_the_first_change_of_another_opening(catalog: Catalog, url: str) -> None:
    other = open_catalog(url)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(catalog.wait, 0, 60)
        assert other.put([new("a/e/v")])[0].stored.key == 1
        assert waiting.result() == 1
        waiting = threads.submit(catalog.wait, 1, 60)
        assert other.remove("a").tolist() == [1]
        assert waiting.result() == 2
    other.close()


def test_waiting_ends_when_nothing_changes(catalog: Catalog) -> None:
    assert catalog.wait(0, 0.1) == 0
    assert catalog.wait(7, 60) == 0


def test_waiting_that_is_given_up_ends_soon(catalog: Catalog) -> None:
    given_up = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(catalog.wait, 0, 60, given_up)
        given_up.set()
        assert waiting.result(10) == 0


def test_concurrent_puts_of_threads_are_all_there_under_their_own_keys(catalog: Catalog) -> None:
    with ThreadPoolExecutor(8) as threads:
        puts = list(threads.map(lambda i: catalog.put([new(f"a{i % 3}/e{i % 5}/{i}", seed=i)])[0], range(80)))
    assert sorted(put.stored.key for put in puts) == list(range(1, 81))
    assert all(catalog.view(put.stored.view) == put.stored for put in puts)
    assert catalog.counts() == Counts(3, 15, 80)


def test_a_poisoned_put_does_not_fail_its_neighbours(catalog: Catalog) -> None:
    catalog.put([new("a/e/first")])
    start = threading.Barrier(8)

    def put(i: int) -> str:
        start.wait()
        try:
            return catalog.put([new(f"a/e/{i}", dim=4 if i % 2 else 8)])[0].stored.view.view_id
        except EngineMismatch:
            return "refused"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(put, range(8)))
    assert outcomes == ["0", "refused", "2", "refused", "4", "refused", "6", "refused"]
    assert catalog.counts().views == 5


def test_closing_twice_is_allowed_and_use_afterwards_refused(catalog: Catalog) -> None:
    catalog.close()
    catalog.close()
    with pytest.raises(StoreError, match="closed"):
        catalog.latest()


@pytest.mark.parametrize("url", ["", "catalog.db", "sqlite://", "sqlite:///:memory:", "mysql:///x", "sqlite:///a?b"])
def test_an_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="catalogue URL"):
        open_catalog(url)
