"""At capacity: a refusal at once, and no harm to those admitted."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest


@pytest.fixture(params=[("robyn", {"admitted": 2}), ("granian", {"turns": 1, "queued": 1})], ids=lambda one: one[0])
def busy(
    request: pytest.FixtureRequest,
    own: Callable[..., Any],
    pictures: Callable[..., bytes],
    in_time: Callable[..., Any],
) -> Any:
    """A worker with room for two, both there for a while: two places, or one turn and one who waits for it."""
    kind, room = request.param
    served = own(engine="slow:2", server=kind, **room)
    asked = {"content": pictures(1, dark=True), "headers": {"content-type": "image/png"}, "timeout": 30}
    with ThreadPoolExecutor(2) as pool:
        pending = [pool.submit(httpx.post, served.url + "/api/v1/match", **asked) for _ in range(2)]
        assert in_time(
            lambda: "arthur_admitted_requests 2.0" in httpx.get(served.url + "/metrics", verify=False).text, 10
        )
        yield served, asked, pending


def test_one_too_many_is_429_at_once_and_the_admitted_are_served(busy: Any) -> None:
    served, asked, pending = busy
    with httpx.Client(base_url=served.url, verify=False) as client:
        client.get("/healthz")
        refusals, times = [], []
        for _ in range(9):
            before = time.perf_counter()
            refusals.append(client.post("/api/v1/match", **asked))
            times.append(time.perf_counter() - before)
    assert {one.status_code for one in refusals} == {429}
    assert {one.headers["retry-after"] for one in refusals} == {"1"}
    assert sorted(times)[4] < 0.05
    assert [one.result().status_code for one in pending] == [200, 200]


def test_legacy_refusals_are_details_and_probes_are_answered(busy: Any, pictures: Callable[..., bytes]) -> None:
    served, _, _ = busy
    answer = httpx.post(served.url + "/match", files={"imgFile": ("a.png", pictures(1))}, verify=False)
    assert (answer.status_code, answer.json()) == (429, {"detail": "the server is at capacity"})
    assert httpx.get(served.url + "/readyz", verify=False).status_code == 200
