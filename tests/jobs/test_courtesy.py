"""Hosts are asked in turn."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from arthur.jobs.courtesy import Courtesy

NOW = 10**15


def test_a_host_is_asked_by_few_at_once_and_others_do_not_wait_for_it() -> None:
    courtesy = Courtesy(lambda *_, **__: 0, concurrency=2, delay_s=0)
    inside, most, lock = 0, 0, threading.Lock()
    free = threading.Event()

    def ask(url: str) -> None:
        nonlocal inside, most
        with courtesy.turn(url):
            with lock:
                inside += "busy" in url
                most = max(most, inside)
            if "other" in url:
                free.set()
            assert free.wait(20)
            with lock:
                inside -= "busy" in url

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, ["http://busy.example/"] * 5 + ["http://other.example/"]))
    assert most == 2


def test_the_turn_that_the_queue_gives_is_waited_for() -> None:
    waited: list[float] = []

    def turn(host: str, *, step_us: int, now_us: int) -> int:
        assert (host, step_us) == ("museum.example", 250_000)
        return now_us + 2_000_000

    courtesy = Courtesy(turn, concurrency=1, delay_s=0.25, clock_ns=lambda: NOW, sleep=waited.append)
    with courtesy.turn("https://Museum.example:8443/x.jpg"):
        assert waited == [2.0]
