"""Tokens: what is one, and what is none."""

from __future__ import annotations

import secrets
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur.access import Token, digest_of, parse_token
from arthur.access.tokens import new_token

BASE32 = string.ascii_lowercase + "234567"


@given(st.binary(min_size=42, max_size=42))
def test_a_new_token_is_read_as_it_was_written(random: bytes) -> None:
    pool = iter(random)
    token = new_token(lambda n: bytes(next(pool) for _ in range(n)))
    assert parse_token(str(token)) == token


@given(st.text() | st.text(alphabet=BASE32 + "_", max_size=90).map("arthur_".__add__))
def test_any_text_is_a_token_or_none(text: str) -> None:
    token = parse_token(text)
    assert token is None or str(token) == text


@given(st.data())
def test_a_changed_token_has_another_digest_or_is_none(data: st.DataObject) -> None:
    token = new_token(secrets.token_bytes)
    text = str(token)
    place = data.draw(st.integers(7, len(text) - 1))
    changed = parse_token(
        text[:place] + data.draw(st.sampled_from(BASE32).filter(text[place].__ne__)) + text[place + 1 :]
    )
    assert changed is None or digest_of(changed) != digest_of(token)


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text + "\n", lambda text: " " + text, lambda text: text[:-1]]
)
def test_a_token_has_one_spelling(change: object) -> None:
    assert parse_token(change(str(new_token(secrets.token_bytes)))) is None  # type: ignore[operator]


def test_a_long_text_is_refused_at_once() -> None:
    started = time.process_time()
    assert parse_token("arthur_" + "a" * 10_000_000) is None
    assert time.process_time() - started < 1


def test_a_secret_under_another_name_has_another_digest() -> None:
    secret = new_token(secrets.token_bytes).secret
    assert digest_of(Token("a" * 16, secret)) != digest_of(Token("b" * 16, secret))


def test_a_secret_is_not_shown() -> None:
    token = new_token(secrets.token_bytes)
    assert token.secret not in repr(token)
