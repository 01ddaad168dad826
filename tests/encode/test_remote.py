"""Claims about the encoder that asks embedding services: true ones, and false ones that answer what a test wants."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import numpy as np
import pytest

from arthur.encode.batch import Batched
from arthur.encode.deadline import within
from arthur.encode.remote import RemoteEncoder
from arthur.errors import (
    ArthurError,
    BadRequest,
    Conflict,
    DeadlineExceeded,
    EngineError,
    EngineMismatch,
    EngineUnavailable,
    Overloaded,
)
from tests.embedding_service import WAIT_S, Engine, Service, reds, serving, wait_until
from tests.rogue_service import Rogue, reply, rogues

ONES = [[1.0, 1.0, 1.0]]
PROBLEM = b'{"type": "/problems/%s", "detail": "so it is"}'
BUSY = reply(PROBLEM % b"overloaded", status="429 Too Many Requests")


def good(_: Rogue) -> bytes:
    return reply()


def breaking(_: Rogue) -> None:
    return None


def saying(answer: bytes) -> Callable[[Rogue], bytes]:
    return lambda _: answer


def slow(seconds: float) -> Callable[[Rogue], bytes]:
    def answer(_: Rogue) -> bytes:
        time.sleep(seconds)
        return reply()

    return answer


@contextmanager
def asking(*services: Rogue | Service, **settings: float) -> Iterator[RemoteEncoder]:
    encoder = RemoteEncoder(",".join(service.url for service in services), **settings)
    yield encoder
    encoder.close()


@pytest.fixture
def fleet() -> Iterator[tuple[RemoteEncoder, list[Service]]]:
    """Two true services with one engine each, and an encoder over both."""
    with ExitStack() as opened:
        encoders = [Batched(Engine(), batch_max=4) for _ in range(2)]
        services = [opened.enter_context(serving(encoder)) for encoder in encoders]
        for encoder in encoders:
            opened.callback(encoder.close)
        yield opened.enter_context(asking(*services)), services


def shades(encoder: RemoteEncoder, *values: int) -> list[int]:
    return [int(red) for red in encoder.encode(reds(*values))[:, 0]]


def test_more_pictures_than_a_service_takes_go_in_several_requests(
    fleet: tuple[RemoteEncoder, list[Service]],
) -> None:
    assert shades(fleet[0], *range(11)) == list(range(11))


def test_a_service_that_stops_is_replaced_by_the_other_without_an_error(
    fleet: tuple[RemoteEncoder, list[Service]],
) -> None:
    encoder, services = fleet
    assert shades(encoder, 1) == shades(encoder, 1) == [1]
    services[0].stop()
    assert [shades(encoder, value) for value in range(20)] == [[value] for value in range(20)]
    assert encoder.services()[services[0].url]
    assert encoder.services()[services[1].url] == ""


def test_an_error_of_the_engine_is_told_and_puts_no_service_out(fleet: tuple[RemoteEncoder, list[Service]]) -> None:
    encoder, _ = fleet
    with pytest.raises(EngineError, match="the fake engine failed"):
        encoder.encode(reds(255))
    assert set(encoder.services().values()) == {""}


def test_a_service_that_is_away_comes_back_by_itself() -> None:
    with rogues(good) as (rogue,), asking(rogue) as encoder:
        rogue.embed, rogue.ready = breaking, False
        with pytest.raises(EngineUnavailable, match="remote end closed connection"):
            encoder.encode(reds(1))
        with pytest.raises(EngineUnavailable):
            encoder.encode(reds(1))
        assert rogue.asked == 1  # who is out is not asked
        rogue.embed, rogue.ready = good, True
        wait_until(lambda: not encoder.services()[rogue.url])
        assert encoder.encode(reds(1)).tolist() == ONES


def test_a_request_that_kills_services_is_sent_to_two_at_most() -> None:
    with rogues(breaking, breaking, breaking) as all_three, asking(*all_three) as encoder:
        with pytest.raises(EngineUnavailable):
            encoder.encode(reds(1))
        assert sorted(rogue.asked for rogue in all_three) == [0, 1, 1]


def test_a_kept_connection_that_was_closed_is_replaced_silently() -> None:
    with rogues(good) as (rogue,), asking(rogue) as encoder:
        for _ in range(3):
            assert encoder.encode(reds(1)).tolist() == ONES
            rogue.hang_up()
        assert encoder.services() == {rogue.url: ""}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(b"\0" * 11), EngineError),
        (reply(b""), EngineError),
        (reply(b"\0\0\x80?" * 6), EngineError),
        (reply(np.full(3, np.nan, "<f4").tobytes()), EngineError),
        (reply(engine="cd" * 32), EngineMismatch),
        (reply(length=2**40), EngineUnavailable),
        (b"HTTP/1.1 200 OK\r\n\r\n", EngineUnavailable),
        (b"garbage\r\n\r\n", EngineUnavailable),
        (reply(b"no json", status="500 Internal Server Error"), EngineError),
        (reply(b"[]", status="404 Not Found"), EngineError),
        (reply(PROBLEM % b"bad_request", status="400 Bad Request"), EngineError),
        (reply(PROBLEM % b"engine_mismatch", status="421 Misdirected Request"), EngineUnavailable),
        (reply(PROBLEM % b"deadline_exceeded", status="504 Gateway Timeout"), DeadlineExceeded),
    ],
)
def test_a_wrong_answer_is_an_error_and_never_a_vector(answer: bytes, kind: type[ArthurError]) -> None:
    with rogues(saying(answer)) as (rogue,), asking(rogue) as encoder, pytest.raises(ArthurError) as raised:
        encoder.encode(reds(1))
    assert type(raised.value) is kind


def test_an_answer_that_is_cut_short_is_an_error() -> None:
    def cut(rogue: Rogue) -> bytes | None:
        rogue.embed = breaking
        return reply(length=24)

    with rogues(cut) as (rogue,), asking(rogue, timeout_s=0.2) as encoder, pytest.raises(EngineUnavailable):
        encoder.encode(reds(1))


def test_an_overloaded_service_is_passed_over() -> None:
    with rogues(saying(BUSY), good) as both, asking(*both) as encoder:
        assert [encoder.encode(reds(1)).tolist() for _ in range(4)] == [ONES] * 4
        assert set(encoder.services().values()) == {""}


def test_when_all_are_overloaded_the_caller_is_told_to_come_again() -> None:
    busy = BUSY.replace(b"\r\n\r\n", b"\r\nRetry-After: 7\r\n\r\n", 1)
    with (
        rogues(saying(busy), saying(busy)) as both,
        asking(*both) as encoder,
        pytest.raises(Overloaded, match="so it is") as raised,
    ):
        encoder.encode(reds(1))
    assert raised.value.retry_after_s == 7


def test_overload_over_tcp_is_told_though_the_body_was_not_wanted() -> None:
    """A connection that is closed with unread bytes is reset, and the answer is lost: so it is read to its end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    engine = Engine(side=448)
    encoder = Batched(engine, batch_max=4)
    pixels = np.zeros((4, 448, 448, 3), np.uint8)
    with serving(encoder, places=1, bytes_max=2**30, url=url) as service, asking(service) as remote:
        engine.open.clear()
        first = threading.Thread(target=remote.encode, args=(pixels,))
        first.start()
        assert engine.entered.acquire(timeout=WAIT_S)
        for _ in range(10):
            with pytest.raises(Overloaded):
                remote.encode(pixels)
        engine.open.set()
        first.join()
    encoder.close()


def test_a_slow_service_is_hedged_by_another_one() -> None:
    with rogues(good, good) as both, asking(*both) as encoder:
        for _ in range(64):
            encoder.encode(reds(1))
        both[0].embed = slow(WAIT_S)
        begun = time.monotonic()
        assert [encoder.encode(reds(1)).tolist() for _ in range(4)] == [ONES] * 4
        assert time.monotonic() - begun < WAIT_S / 2


def test_a_service_that_loses_five_races_in_a_row_is_put_out() -> None:
    with rogues(good, good) as both, asking(*both) as encoder:
        for _ in range(64):
            encoder.encode(reds(1))
        both[0].embed, both[0].ready = slow(WAIT_S), False
        for _ in range(20):
            encoder.encode(reds(1))
        assert encoder.services() == {both[0].url: encoder.services()[both[0].url], both[1].url: ""}
        assert encoder.services()[both[0].url]


def test_a_service_that_answers_too_late_is_unavailable() -> None:
    with rogues(slow(WAIT_S)) as (rogue,), asking(rogue, timeout_s=0.1) as encoder:
        begun = time.monotonic()
        with pytest.raises(EngineUnavailable, match="overdue"):
            encoder.encode(reds(1))
        assert time.monotonic() - begun < WAIT_S / 2


def test_a_caller_waits_no_longer_than_its_deadline_and_nothing_runs_after_it() -> None:
    engine = Engine()
    encoder = Batched(engine, batch_max=1)
    with serving(encoder) as service, asking(service) as remote:
        engine.open.clear()
        first = threading.Thread(target=remote.encode, args=(reds(1),))
        first.start()
        assert engine.entered.acquire(timeout=WAIT_S)
        with within(0.05), pytest.raises(DeadlineExceeded):
            remote.encode(reds(2))
        time.sleep(0.2)  # the service began to count a little later than the caller
        engine.open.set()
        first.join()
        assert shades(remote, 3) == [3]
    encoder.close()
    assert engine.batches == [[1], [3]]


def test_services_with_different_engines_are_refused() -> None:
    with rogues(good, good) as both:
        both[1].spec = replace(both[1].spec, fingerprint="cd" * 32)
        with pytest.raises(EngineMismatch, match=r"different engines: .*fake@abab.*fake@cdcd"):
            RemoteEncoder(f"{both[0].url},{both[1].url}")


def test_a_service_that_comes_back_with_another_engine_stays_out() -> None:
    with rogues(good) as (rogue,), asking(rogue) as encoder:
        rogue.embed, rogue.spec = breaking, replace(rogue.spec, fingerprint="cd" * 32)
        with pytest.raises(EngineUnavailable):
            encoder.encode(reds(1))
        wait_until(lambda: encoder.services()[rogue.url] == "it runs another engine")


def test_one_service_is_enough_to_start_and_the_other_may_come_later() -> None:
    with rogues(good) as (rogue,):
        encoder = RemoteEncoder(f"unix:/nowhere/s,{rogue.url}")
        assert encoder.encode(reds(1)).tolist() == ONES
        assert encoder.services()["unix:/nowhere/s"] == "no such file or directory"
        encoder.close()


def test_without_any_service_the_start_fails_and_names_them() -> None:
    with pytest.raises(EngineUnavailable, match="unix:/nowhere/s: no such file or directory"):
        RemoteEncoder("unix:/nowhere/s", start_s=0.05)


def test_what_is_no_embedding_service_is_named() -> None:
    with rogues(good) as (rogue,):
        rogue._answer = lambda _: reply(b"<html>")  # type: ignore[method-assign]  # another kind of server altogether
        with pytest.raises(EngineError, match="is no embedding service of this version"):
            RemoteEncoder(rogue.url)


def test_texts_are_embedded_where_the_pictures_are() -> None:
    with rogues(good) as (rogue,), asking(rogue) as encoder:
        assert encoder.embed(["a red square"]).tolist() == ONES
        rogue.embed = saying(reply(PROBLEM % b"bad_request", status="400 Bad Request"))
        with pytest.raises(BadRequest, match="so it is"):
            encoder.embed([""])
        with pytest.raises(BadRequest, match="Unicode"):
            encoder.embed(["\ud800"])


def test_an_engine_without_text_tower_says_so(fleet: tuple[RemoteEncoder, list[Service]]) -> None:
    with pytest.raises(Conflict, match="fake has no text tower"):
        fleet[0].embed(["a red square"])
