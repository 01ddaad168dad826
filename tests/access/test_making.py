"""Making keys and their successors."""

from __future__ import annotations

import pytest

from arthur.access import NewKey, digest_of, make_key, succeed
from arthur.errors import BadRequest, Conflict

DAY = 86_400_000_000


def test_a_key_holds_the_digest_of_its_token_and_no_secret() -> None:
    token, key = make_key(NewKey("app", "write", ("a", "a")), now_us=5)
    assert (key.key_id, key.digest, key.artists, key.expires_us) == (token.key_id, digest_of(token), ("a",), None)
    assert token.secret not in repr(key)


@pytest.mark.parametrize(
    "wanted",
    [
        NewKey(" "),
        NewKey("n" * 101),
        NewKey("a\nb"),
        NewKey("n", "admin", ("a",)),
        NewKey("n", artists=(" ",)),
        NewKey("n", artists=tuple(map(str, range(101)))),
        NewKey("n", lifetime_us=0),
    ],
)
def test_a_key_that_cannot_be_is_refused(wanted: NewKey) -> None:
    with pytest.raises(BadRequest):
        make_key(wanted, now_us=5)


def test_a_successor_may_do_the_same_for_as_long() -> None:
    _, key = make_key(NewKey("app", "write", ("a",), 30 * DAY), now_us=0)
    _, successor, ending = succeed(key, now_us=10 * DAY, overlap_us=DAY)
    assert (successor.scope, successor.artists, successor.replaces) == ("write", ("a",), key.key_id)
    assert (successor.expires_us, ending.expires_us) == (40 * DAY, 11 * DAY)
    assert successor.digest != key.digest


def test_an_overlap_does_not_outlast_the_key() -> None:
    _, key = make_key(NewKey("app", lifetime_us=DAY), now_us=0)
    assert succeed(key, now_us=1, overlap_us=5 * DAY)[2].expires_us == DAY


def test_an_ended_key_has_no_successor() -> None:
    _, key = make_key(NewKey("app", lifetime_us=DAY), now_us=0)
    with pytest.raises(Conflict, match="expired"):
        succeed(key, now_us=DAY, overlap_us=0)
