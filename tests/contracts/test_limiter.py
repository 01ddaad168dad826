"""Laws of every Limiter."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arthur.errors import ConfigError
from arthur.rates import Limiter, Rate, open_limiter, parse_rate
from arthur.rates.memory import MemoryLimiter
from arthur.rates.valkey import ValkeyLimiter

KINDS = ["memory", pytest.param("valkey", marks=pytest.mark.service("valkey"))]
SAID: deque[str] = deque(maxlen=1)
NAMES = (f"name {number}" for number in itertools.count())

several = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=KINDS)
def open_one(request: pytest.FixtureRequest) -> Callable[[Clock], Limiter]:
    """Open a limiter that goes by a clock."""
    if request.param == "memory":
        return lambda clock: MemoryLimiter(clock=clock)
    url = f"valkey://127.0.0.1:{request.getfixturevalue('valkey_server').port}"
    return lambda clock: ValkeyLimiter(url, told=SAID.append, clock=clock, shared_clock=clock)


@several
@given(burst=st.integers(1, 50), per_s=st.floats(0.01, 1000))
def test_a_burst_passes_and_the_next_one_waits(open_one: Callable[[Clock], Limiter], burst: int, per_s: float) -> None:
    rate, busy, other = Rate(per_s, burst), next(NAMES), next(NAMES)
    with closing(open_one(Clock())) as limiter:
        assert [limiter.take(busy, rate) for _ in range(burst)] == [0.0] * burst
        assert limiter.take(busy, rate) == pytest.approx(1 / per_s, rel=1e-3)
        assert limiter.take(other, rate) == 0.0


@several
@given(pauses=st.lists(st.floats(0, 3), min_size=1, max_size=100))
def test_no_more_pass_than_the_bucket_gives(open_one: Callable[[Clock], Limiter], pauses: list[float]) -> None:
    clock, rate, name = Clock(), Rate(2.0, 5), next(NAMES)
    passed = 0
    with closing(open_one(clock)) as limiter:
        for pause in pauses:
            clock.now += pause
            passed += limiter.take(name, rate) == 0.0
    assert passed <= 5 + 2.0 * sum(pauses) + 1e-3


def test_who_waits_as_told_passes(open_one: Callable[[Clock], Limiter]) -> None:
    clock, rate, name = Clock(), Rate(0.5, 1), next(NAMES)
    with closing(open_one(clock)) as limiter:
        limiter.take(name, rate)
        clock.now += limiter.take(name, rate)
        assert limiter.take(name, rate) == 0.0


def test_closing_twice_is_allowed(open_one: Callable[[Clock], Limiter]) -> None:
    limiter = open_one(Clock())
    limiter.close()
    limiter.close()


def test_memory_forgets_the_name_not_seen_for_longest() -> None:
    limiter, rate = MemoryLimiter(most_names=2, clock=Clock()), Rate(1, 1)
    for name in ("a", "b", "a", "c"):
        limiter.take(name, rate)
    assert [limiter.take(name, rate) > 0 for name in ("b", "c")] == [False, True]


@pytest.mark.parametrize(("text", "rate"), [("", None), ("10/s", Rate(10, 10)), ("600/min", Rate(10, 600))])
def test_a_rate_is_read(text: str, rate: Rate | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["0/s", "10", "10/day", "-1/s", "1e3/s", "10/s ", "\N{ARABIC-INDIC DIGIT ONE}/s"])
def test_another_text_is_no_rate(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_rate(text)


@pytest.mark.parametrize("url", ["", "memory", "http://a", "valkey:", "valkey://", "redis://a"])
def test_an_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="memory:"):
        open_limiter(url)


@pytest.fixture
def sharing(valkey_server: object) -> Iterator[tuple[Clock, list[ValkeyLimiter]]]:
    """Four limiters of one Valkey, as four workers have them, and their clock."""
    clock = Clock()
    url = f"valkey://127.0.0.1:{valkey_server.port}"  # type: ignore[attr-defined]
    opened = [ValkeyLimiter(url, told=SAID.append, clock=clock, shared_clock=clock) for _ in range(4)]
    yield clock, opened
    for limiter in opened:
        limiter.close()


@pytest.mark.service("valkey")
def test_what_one_process_lets_through_another_does_not(sharing: tuple[Clock, list[ValkeyLimiter]]) -> None:
    clock, (one, other, *_) = sharing
    rate, name = Rate(1.0, 10), next(NAMES)
    assert [one.take(name, rate) for _ in range(10)] == [0.0] * 10
    one.sync()
    assert other.take(name, rate) == 0.0  # it asks for the first time
    other.sync()
    assert other.take(name, rate) == pytest.approx(2.0, abs=0.01)
    clock.now += 2.01
    assert other.take(name, rate) == 0.0


@pytest.mark.service("valkey")
def test_in_the_long_run_four_processes_let_through_what_one_may(sharing: tuple[Clock, list[ValkeyLimiter]]) -> None:
    clock, limiters = sharing
    rate, name, passed = Rate(10.0, 20), next(NAMES), 0
    for _ in range(400):
        clock.now += 0.05
        for limiter in limiters:
            passed += limiter.take(name, rate) == 0.0
            limiter.sync()
    assert 20 + 10 * 20 - 4 <= passed <= 20 + 10 * 20 + 4


def test_an_unreachable_valkey_leaves_each_process_to_count_alone() -> None:
    said: list[str] = []
    rate, name = Rate(1.0, 3), next(NAMES)
    with closing(ValkeyLimiter("valkey://127.0.0.1:1", told=said.append, clock=Clock())) as limiter:
        assert [limiter.take(name, rate) > 0 for _ in range(4)] == [False, False, False, True]
        for _ in range(3):
            limiter.take(next(NAMES), rate)
            limiter.sync()
    assert {"faults"} <= set(said) <= {"faults", "skipped"}
