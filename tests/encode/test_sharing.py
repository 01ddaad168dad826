"""Claims about calls of one process that share a request to an embedding service."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from arthur.encode.batch import Batched
from arthur.encode.remote import RemoteEncoder
from arthur.errors import EngineError
from tests.embedding_service import WAIT_S, Engine, reds, serving, wait_until


@pytest.fixture
def crowd() -> Iterator[tuple[Engine, RemoteEncoder, ThreadPoolExecutor]]:
    """An engine that works on two requests of an encoder until it is opened, and threads for further ones."""
    engine = Engine()
    encoder = Batched(engine, batch_max=4)
    with serving(encoder) as service, closing(RemoteEncoder(service.url)) as remote, ThreadPoolExecutor(8) as pool:
        engine.open.clear()
        pool.submit(remote.encode, reds(0))
        assert engine.entered.acquire(timeout=WAIT_S)
        pool.submit(remote.encode, reds(0))
        wait_until(lambda: encoder.stats().queued == 1)
        yield engine, remote, pool
        engine.open.set()
    encoder.close()


def shades(encoder: RemoteEncoder, *values: int) -> list[int]:
    return [int(red) for red in encoder.encode(reds(*values))[:, 0]]


def test_calls_that_come_while_two_requests_are_under_way_share_the_next(
    crowd: tuple[Engine, RemoteEncoder, ThreadPoolExecutor],
) -> None:
    engine, remote, pool = crowd
    calls = [pool.submit(shades, remote, value) for value in (1, 2, 3, 4)]
    wait_until(lambda: remote._queue.stats().queued == 4)
    engine.open.set()
    assert [call.result(WAIT_S) for call in calls] == [[1], [2], [3], [4]]
    assert [sorted(batch) for batch in engine.batches] == [[0], [0], [1, 2, 3, 4]]


def test_a_bad_picture_in_a_shared_request_fails_its_own_caller_alone(
    crowd: tuple[Engine, RemoteEncoder, ThreadPoolExecutor],
) -> None:
    engine, remote, pool = crowd
    calls = [pool.submit(shades, remote, value) for value in (1, 255, 3)]
    wait_until(lambda: remote._queue.stats().queued == 3)
    engine.open.set()
    assert [calls[place].result(WAIT_S) for place in (0, 2)] == [[1], [3]]
    assert isinstance(calls[1].exception(WAIT_S), EngineError)
    assert set(remote.services().values()) == {""}
