"""Claims about recognition with local features: votes, verification, and what happens when they fail."""

from dataclasses import replace
from typing import Any

import pytest

from arthur.recognition.cascade import STEPS
from arthur.recognizer import Recognizer
from arthur.types import Query


def test_a_confirmed_work_is_a_match_with_its_place(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    close_house.enroll("a/e2/main", 2)
    answer = close_house.recognizer.recognize(picture(1))
    best = answer.matches[0]
    assert (answer.decision, best.view.entry_id, best.decision) == ("match", "e1", "match")
    assert (best.inliers, best.coverage) == (100, 1.0)
    assert best.quad == ((0, 0), (32, 0), (32, 32), (0, 32))


def test_the_quad_is_in_pixels_of_the_photo(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    decode = close_house.parts.decoder

    def ten_times_larger(*given: Any, **named: Any) -> Any:
        return replace(decode(*given, **named), width=320, height=320)

    recognizer = Recognizer(replace(close_house.parts, decoder=ten_times_larger), close_house.options)
    assert recognizer.recognize(picture(1)).matches[0].quad[2] == (320, 320)


def test_an_easy_photo_is_looked_at_no_closer_than_needed(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    answer = close_house.recognizer.recognize(picture(1))
    assert (answer.skipped, close_house.local.verifier.looks) == (STEPS[2:], 1)


def test_demanded_geometry_skips_nothing(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    answer = close_house.recognizer.recognize(picture(1), Query(verify="always"))
    assert (answer.skipped, answer.decision) == ((), "match")


def test_forbidden_geometry_is_not_consulted(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    answer = close_house.recognizer.recognize(picture(1), Query(verify="never"))
    assert (answer.skipped, answer.matches[0].inliers) == (STEPS[1:], None)
    assert close_house.local.verifier.looks == 0


def test_a_vote_finds_what_the_vectors_miss(close_house: Any, picture: Any) -> None:
    for seed in range(1, 30):
        close_house.enroll(f"a/e{seed}/main", seed)
    hidden = close_house.catalog.view(next(view for view in close_house.catalog.live if view.entry_id == "e1")).key
    close_house.index.rows.pop(hidden)
    assert close_house.recognizer.recognize(picture(1)).matches[0].view.entry_id == "e1"


def test_votes_keep_to_the_artists_asked_for(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    close_house.enroll("b/e2/main", 2)
    answer = close_house.recognizer.recognize(picture(1), Query(artist_ids=("b",)))
    assert [match.view.artist_id for match in answer.matches] == ["b"]


@pytest.mark.parametrize("part", ["verifier", "index"])
def test_a_failed_part_degrades_to_the_vectors(close_house: Any, picture: Any, part: str) -> None:
    close_house.enroll("a/e1/main", 1)
    getattr(close_house.local, part).broken = True
    answer = close_house.recognizer.recognize(picture(1), Query(verify="always"))
    assert (answer.degraded, answer.matches[0].view.entry_id) == (True, "e1")
    assert answer.matches[0].inliers is None


def test_a_picture_at_which_the_verifier_fails_is_enrolled_without_features(close_house: Any, picture: Any) -> None:
    close_house.local.verifier.broken = True
    put = close_house.enroll("a/e1/main", 1)
    close_house.local.verifier.broken = False
    assert close_house.recognizer.recognize(picture(1)).matches[0].view.entry_id == "e1"
    assert not close_house.recognizer.knows(put.stored)


def test_a_forgotten_view_gets_no_votes(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    close_house.enroll("a/e2/main", 2)
    close_house.recognizer.forget("a", "e1")
    assert [match.view.entry_id for match in close_house.recognizer.recognize(picture(1)).matches] == ["e2"]
    assert len(close_house.local.index) == 1


def test_a_lost_local_index_is_replayed(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    close_house.local.index.clear()
    assert close_house.recognizer.recognize(picture(1)).matches[0].inliers == 100


def test_reindex_rebuilds_both_indices(close_house: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    close_house.index.clear()
    close_house.local.index.clear()
    assert close_house.recognizer.reindex() == 1
    assert len(close_house.local.index) == 1


def test_no_closer_look_is_begun_that_would_miss_the_deadline(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    close_house.clock.step = 0.01
    close_house.recognizer.recognize(picture(2), Query(verify="always"))
    looks = close_house.local.verifier.looks
    answer = close_house.recognizer.recognize(picture(3), Query(verify="always", deadline_ms=300))
    assert "quick" in answer.skipped
    assert close_house.local.verifier.looks == looks


def test_several_frames_of_one_work_are_joined(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    answer = close_house.recognizer.recognize_frames([picture(9), picture(1)])
    assert (answer.decision, answer.matches[0].view.entry_id, answer.matches[0].frame) == ("match", "e1", 1)


def test_an_answer_with_geometry_comes_whole_out_of_the_cache(close_house: Any, picture: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    first, second = (close_house.recognizer.recognize(picture(1)) for _ in range(2))
    assert replace(first, timings_ms={}) == replace(second, timings_ms={})
    assert close_house.local.verifier.looks == 1


def test_status_shows_the_local_index(close_house: Any) -> None:
    close_house.enroll("a/e1/main", 1)
    status = close_house.recognizer.status()
    assert (status["verifier"], status["local_index"]["views"]) == ("quarters", 1)
