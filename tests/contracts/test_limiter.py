"""Laws of every Limiter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur.errors import ConfigError
from arthur.rates import Limiter, Rate, open_limiter, parse_rate
from arthur.rates.memory import MemoryLimiter

LIMITERS: dict[str, Callable[[Callable[[], float]], Limiter]] = {"memory": lambda clock: MemoryLimiter(clock=clock)}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("kind", LIMITERS)
@given(burst=st.integers(1, 50), per_s=st.floats(0.01, 1000))
def test_a_burst_passes_and_the_next_one_waits(kind: str, burst: int, per_s: float) -> None:
    limiter, rate = LIMITERS[kind](Clock()), Rate(per_s, burst)
    assert [limiter.take("a", rate) for _ in range(burst)] == [0.0] * burst
    assert limiter.take("a", rate) == pytest.approx(1 / per_s, rel=1e-3)
    assert limiter.take("b", rate) == 0.0


@pytest.mark.parametrize("kind", LIMITERS)
@given(pauses=st.lists(st.floats(0, 3), min_size=1, max_size=100))
def test_no_more_pass_than_the_bucket_gives(kind: str, pauses: list[float]) -> None:
    clock, rate = Clock(), Rate(2.0, 5)
    limiter, passed = LIMITERS[kind](clock), 0
    for pause in pauses:
        clock.now += pause
        passed += limiter.take("a", rate) == 0.0
    assert passed <= 5 + 2.0 * sum(pauses) + 1e-3


@pytest.mark.parametrize("kind", LIMITERS)
def test_who_waits_as_told_passes(kind: str) -> None:
    clock, rate = Clock(), Rate(0.5, 1)
    limiter = LIMITERS[kind](clock)
    limiter.take("a", rate)
    clock.now += limiter.take("a", rate)
    assert limiter.take("a", rate) == 0.0


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


def test_an_unknown_url_is_refused() -> None:
    with pytest.raises(ConfigError, match="memory:"):
        open_limiter("valkey://nowhere")
