"""Bodies that come slowly, not at all, or with too many others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from arthur.errors import ArthurError, ImageTooLarge, Overloaded
from arthur.web.asgi import Body, EndedEarly, Held, Message
from arthur.web.http import TooSlow, status_of


class Sent:
    """What a server hands over: pieces of a body, then nothing, or the end of the connection."""

    def __init__(self, *pieces: bytes, after: str = "nothing") -> None:
        self.pieces = list(pieces)
        self.after = after

    async def __call__(self) -> Message:
        if self.pieces:
            piece = self.pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self.pieces) or self.after != "whole"}
        if self.after == "nothing":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}


def read(
    *bodies: Sent, limit: int = 100, declared: str = "", held: Held | None = None
) -> Sequence[bytes | ArthurError]:
    """Read bodies side by side, with a tenth of a second of patience."""

    async def one(body: Body) -> bytes | ArthurError:
        try:
            return await body.read(limit, declared)
        except ArthurError as error:
            return error

    async def all_of() -> Sequence[bytes | ArthurError]:
        kept = held or Held()
        opened = [Body(sent, kept, grace_s=0.1) for sent in bodies]
        answers = [await one(body.__enter__()) for body in opened]
        for body in opened:
            body.__exit__()
        assert kept.bytes == 0
        return answers

    return asyncio.run(all_of())


def test_pieces_become_one_body() -> None:
    assert read(Sent(b"ab", b"", b"cd", after="whole")) == [b"abcd"]


@pytest.mark.parametrize("pieces", [(), (b"ab",), (b"ab", b"cd")])
def test_a_body_that_stops_coming_is_408(pieces: tuple[bytes, ...]) -> None:
    (error,) = read(Sent(*pieces))
    assert isinstance(error, TooSlow)
    assert status_of(error) == 408


def test_a_caller_who_left_sent_no_body() -> None:
    assert isinstance(read(Sent(b"ab", after="gone"))[0], EndedEarly)


@pytest.mark.parametrize("declared", ["101", "9" * 400])
def test_a_declared_length_beyond_the_limit_is_refused_unread(declared: str) -> None:
    sent = Sent(b"ab", after="whole")
    assert isinstance(read(sent, declared=declared)[0], ImageTooLarge)
    assert sent.pieces == [b"ab"]


def test_an_undeclared_length_beyond_the_limit_is_refused_while_it_comes() -> None:
    sent = Sent(*[b"x" * 30] * 9, after="whole")
    assert isinstance(read(sent)[0], ImageTooLarge)
    assert len(sent.pieces) == 5


def test_bodies_beyond_the_memory_for_all_are_429_and_one_alone_passes() -> None:
    whole = [Sent(b"x" * 40, b"y" * 40, after="whole") for _ in range(2)]
    alone, beside = read(*whole, held=Held(bound=70))
    assert alone == b"x" * 40 + b"y" * 40
    assert isinstance(beside, Overloaded)
