"""Photos come in an order that is fair to those who stop early."""

from pathlib import Path

from bench.accuracy.exam import Photo, in_turn


def _photo(name: str, *without: str) -> Photo:
    return Photo(name, Path(name), "left-out" if without else "known", "1", without=frozenset(without))


def test_photos_that_want_the_same_out_come_together() -> None:
    photos = (_photo("1", "x"), _photo("2"), _photo("3", "y", "x"), _photo("4", "x"), _photo("5"))
    groups = [(sorted(without), sorted(photo.name for photo in group)) for without, group in in_turn(photos, seed=3)]
    assert sorted(groups) == [([], ["2"]), ([], ["5"]), (["x"], ["1", "4"]), (["x", "y"], ["3"])]


def test_any_beginning_is_a_mixture() -> None:
    photos = tuple(_photo(f"{severity}-{number}") for severity in "1234" for number in range(100))
    first = [group[0].name[0] for _, group in in_turn(photos, seed=0)][:80]
    assert min(first.count(severity) for severity in "1234") > 8


def test_the_order_does_not_depend_on_how_the_photos_were_listed() -> None:
    photos = tuple(_photo(str(number)) for number in range(20))
    here, there = ([group for _, group in in_turn(order, seed=5)] for order in (photos, photos[::-1]))
    assert here == there


def test_photos_of_one_work_are_one_cluster() -> None:
    shown = Photo("1", Path("1"), "known", "1", works=frozenset(["b", "a"]))
    assert shown.cluster == "a+b"
    assert _photo("2", "a").cluster == "a"
    assert _photo("3").cluster == "3"
