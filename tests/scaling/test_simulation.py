"""The simulation of queues agrees with their theory."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.scaling.simulation import Simulation, Visit, poisson

COUNT = 60_000


def waited(servers: int, load: float, *, count: int = COUNT) -> np.ndarray:
    """Return the times that queries of mean service 1 s spend at one station, after a tenth to warm up."""
    rng = np.random.default_rng(3)
    service = rng.exponential(1.0, (count, 1))
    took = Simulation([servers], [Visit((0,), service)]).run(poisson(load * servers, count, rng))
    return took[count // 10 :]


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_one_server_waits_as_the_theory_of_m_m_1_says(load: float) -> None:
    took = waited(1, load)

    assert took.mean() == pytest.approx(1 / (1 - load), rel=0.07)
    assert np.quantile(took, 0.99) == pytest.approx(-math.log(0.01) / (1 - load), rel=0.1)


def test_many_servers_wait_as_erlang_says() -> None:
    servers, load = 4, 0.8
    offered = servers * load
    last = offered**servers / math.factorial(servers) / (1 - load)
    waits = last / (sum(offered**k / math.factorial(k) for k in range(servers)) + last)

    assert waited(servers, load).mean() == pytest.approx(1 + waits / (servers * (1 - load)), rel=0.05)


def test_a_query_goes_on_when_its_slowest_part_is_done() -> None:
    path = [Visit((0, 1), np.array([[0.2, 0.5]]), travel_s=0.1), Visit((0,), np.array([[0.3]]))]

    assert Simulation([1, 1], path).run(np.array([1.0])) == pytest.approx([0.9])


def test_a_visit_without_work_takes_no_time() -> None:
    path = [Visit((0,), np.zeros((1, 1)), travel_s=5), Visit((0,), np.array([[0.3]]))]

    assert Simulation([1], path).run(np.array([0.0])) == pytest.approx([0.3])


def test_who_came_first_is_served_first() -> None:
    took = Simulation([1], [Visit((0,), np.array([[2.0], [1.0], [1.0]]))]).run(np.array([0.0, 0.5, 0.6]))

    assert took == pytest.approx([2.0, 2.5, 3.4])
