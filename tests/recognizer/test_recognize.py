from typing import Any

import pytest

from arthur.errors import BadRequest, DeadlineExceeded, InvalidImage
from arthur.types import Query, ViewId


def test_the_enrolled_picture_comes_first(house: Any) -> None:
    for seed in range(5):
        house.enroll(f"a/e{seed}/main", seed)
    assert house.entries(3)[0] == "e3"


def test_the_same_picture_is_a_match(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("a/e2/main", 2)
    assert house.recognizer.recognize(picture(1)).decision == "match"


def test_an_empty_catalogue_answers_no_match(house: Any, picture: Any) -> None:
    answer = house.recognizer.recognize(picture(1))
    assert (answer.decision, answer.matches, answer.probability) == ("no_match", (), 0.0)


def test_views_are_grouped_by_entry(house: Any) -> None:
    for view in range(6):
        house.enroll(f"a/e1/v{view}", 1)
    house.enroll("a/e2/main", 2)
    assert house.entries(1) == ["e1", "e2"]


def test_the_best_view_of_an_entry_is_shown(house: Any, picture: Any) -> None:
    house.enroll("a/e1/far", 7)
    house.enroll("a/e1/near", 1)
    assert house.recognizer.recognize(picture(1)).matches[0].view == ViewId("a", "e1", "near")


def test_entries_behind_many_views_of_one_entry_come_out(house: Any) -> None:
    for view in range(150):
        house.enroll(f"a/e1/v{view}", 1)
    house.enroll("a/e2/main", 2)
    house.enroll("a/e3/main", 3)
    assert set(house.entries(1, Query(k=3))) == {"e1", "e2", "e3"}


def test_each_key_is_looked_up_once_while_the_fetch_grows(house: Any) -> None:
    for view in range(150):
        house.enroll(f"a/e1/v{view}", 1)
    house.catalog.asked = 0
    house.entries(1, Query(k=3))
    assert house.catalog.asked == 150


def test_no_more_than_k_entries_are_shown(house: Any) -> None:
    for seed in range(5):
        house.enroll(f"a/e{seed}/main", seed)
    assert len(house.entries(3, Query(k=2))) == 2


def test_k_of_one_still_judges_by_the_margin(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("a/e2/main", 1)
    answer = house.recognizer.recognize(picture(1), Query(k=1))
    assert (len(answer.matches), answer.decision) == (1, "unsure")


def test_scores_fall(house: Any, picture: Any) -> None:
    for seed in range(8):
        house.enroll(f"a/e{seed}/main", seed)
    scores = [match.score for match in house.recognizer.recognize(picture(3)).matches]
    assert scores == sorted(scores, reverse=True)


def test_a_score_is_never_above_one(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    key, (vector, artist) = house.index.rows.popitem()
    house.index.rows[key] = (vector * 1.001, artist)
    assert house.recognizer.recognize(picture(1)).matches[0].score == 1.0


def test_a_replaced_view_is_never_returned(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("a/e1/main", 2)
    assert house.recognizer.recognize(picture(1)).matches[0].score < 0.99


def test_an_artist_filter_keeps_other_artists_out(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("b/e2/main", 2)
    assert house.entries(1, Query(artist_ids=("b", "unknown"))) == ["e2"]


def test_unknown_artists_only_answer_no_match(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    answer = house.recognizer.recognize(picture(1), Query(artist_ids=("nobody",)))
    assert (answer.decision, answer.matches) == ("no_match", ())


def test_min_score_drops_entries_below_it(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("a/e2/main", 2)
    assert house.entries(1, Query(min_score=0.99)) == ["e1"]


def test_nothing_above_min_score_is_no_match(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    answer = house.recognizer.recognize(picture(2), Query(min_score=0.999))
    assert (answer.decision, answer.matches) == ("no_match", ())


def test_a_hidden_rival_still_counts(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("a/e2/main", 1)
    assert house.recognizer.recognize(picture(1), Query(k=1, min_score=0.5)).decision == "unsure"


def test_metadata_comes_back(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1, metadata={"title": "Sunflowers"})
    assert house.recognizer.recognize(picture(1)).matches[0].metadata == {"title": "Sunflowers"}


def test_the_answer_names_engine_sequence_and_stages(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    answer = house.recognizer.recognize(picture(1))
    assert (answer.engine, answer.catalog_seq) == ("blocks@ffffffffffff", 1)
    assert {"cache", "decode", "encode", "search", "catalog", "decision", "total"} <= answer.timings_ms.keys()


def test_bytes_that_are_no_picture_are_refused(house: Any) -> None:
    with pytest.raises(InvalidImage):
        house.recognizer.recognize(b"no picture")


@pytest.mark.parametrize(
    "query",
    [Query(k=0), Query(k=101), Query(min_score=1.5), Query(max_false_accept=0.0), Query(deadline_ms=0)],
)
def test_a_query_out_of_range_is_refused(house: Any, picture: Any, query: Any) -> None:
    with pytest.raises(BadRequest):
        house.recognizer.recognize(picture(1), query)


def test_a_passed_deadline_ends_the_call(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.clock.step = 0.004
    with pytest.raises(DeadlineExceeded, match="10 ms passed before decode"):
        house.recognizer.recognize(picture(1), Query(deadline_ms=10))


def test_a_deadline_that_is_kept_changes_nothing(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    assert house.recognizer.recognize(picture(1), Query(deadline_ms=10)).matches


def test_a_deadline_that_passes_while_searching_gives_what_was_found(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    search = house.index.search

    def slow(*given: Any, **named: Any) -> Any:
        house.clock.now += 1
        return search(*given, **named)

    house.index.search = slow
    assert house.recognizer.recognize(picture(1), Query(deadline_ms=10)).matches


def test_demanded_geometry_is_said_to_be_missing(house: Any, picture: Any) -> None:
    answer = house.recognizer.recognize(picture(1), Query(verify="always"))
    assert any("geometry" in reason for reason in answer.reasons)
