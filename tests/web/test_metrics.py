"""Claims of the numbers for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from arthur.encode.calls import BatchStats
from arthur.recognition.state import Pulse
from arthur.web.exemplars import Exemplars
from arthur.web.metrics import Answered, Metrics
from arthur.web.standing import Standing


def test_what_happens_to_the_cache_is_counted_once() -> None:
    stats = {"hits": 2, "faults": 1}
    metrics = Metrics(lambda: stats)
    for _ in range(3):
        metrics.answered(Answered("/x", "GET", 200, 0.1))
    stats["hits"] = 5
    metrics.answered(Answered("/x", "GET", 200, 0.1))
    text = metrics.exposition()[0].decode()
    assert 'arthur_cache_events_total{event="hits"} 5.0' in text
    assert 'arthur_cache_events_total{event="faults"} 1.0' in text


def test_a_queue_that_began_anew_is_counted_on() -> None:
    queue = BatchStats()
    metrics = Metrics(pulse=lambda: Pulse({}, queue))
    for queue.runs in (5, 2, 3):
        metrics.feel()
    assert 'arthur_engine_queue_total{event="runs"} 8.0' in metrics.exposition()[0].decode()


def test_exemplars_name_the_newest_request_of_each_bucket() -> None:
    metrics = Metrics()
    for request_id, seconds in [("first", 0.02), ("second", 0.021), ("slow", 99.0)]:
        metrics.answered(Answered("/x", "GET", 200, seconds, request_id=request_id))
    numbers, media_type = metrics.exposition("application/openmetrics-text; version=1.0.0")
    lines = numbers.decode().splitlines()
    assert media_type.startswith("application/openmetrics-text; version=1.0.0")
    assert [line.split()[3] for line in lines if " # " in line and not line.startswith("#")] == [
        '{request_id="second"}',
        '{request_id="slow"}',
    ]


@pytest.mark.parametrize(("length", "times"), [(118, 1), (119, 0)])
def test_an_id_that_openmetrics_has_no_room_for_is_left_out(length: int, times: int) -> None:
    metrics = Metrics()
    metrics.answered(Answered("/x", "GET", 200, 0.1, request_id="i" * length))
    numbers, _ = metrics.exposition("application/openmetrics-text")
    assert numbers.count(b"i" * length) == times
    list(text_string_to_metric_families(numbers.decode()))


def test_processes_show_each_other_their_exemplars(tmp_path: Path) -> None:
    mine, others = (Exemplars([1.0], folder=tmp_path, clock=iter(range(at, 999)).__next__) for at in (100, 200))
    mine.note("a", {"x": "y"}, 0.5, "older")
    others.note("a", {"x": "y"}, 0.6, "newer")
    (tmp_path / "exemplars-1.json").write_bytes(b"torn")
    metric = HistogramMetricFamily("a", "b", labels=["x"])
    metric.add_metric(["y"], [("1.0", 2), ("+Inf", 2)], 1.1)
    (told,) = mine.added_to([metric])
    assert [one.exemplar.labels if one.exemplar else None for one in told.samples][:2] == [
        {"request_id": "newer"},
        None,
    ]


def test_a_folder_that_is_gone_costs_exemplars_and_no_request(tmp_path: Path) -> None:
    exemplars = Exemplars([1.0], folder=tmp_path / "gone")
    exemplars.note("a", {}, 0.5, "id")
    assert list(exemplars.added_to([])) == []


def test_the_classic_format_has_no_exemplars() -> None:
    metrics = Metrics()
    metrics.answered(Answered("/x", "GET", 200, 0.1, request_id="some-request"))
    numbers, media_type = metrics.exposition("text/plain")
    assert b"some-request" not in numbers
    assert media_type.startswith("text/plain")


def test_what_does_not_answer_is_told_as_down() -> None:
    state = {"engine": "a@b", "counts": None, "index": {"views": 3}, "local_index": None, "degraded": ["local_index"]}
    text = Metrics(standing=Standing("1", lambda: state)).exposition()[0].decode()
    assert 'arthur_part_up{part="local_index"} 0.0' in text
    assert 'arthur_part_up{part="index"} 1.0' in text
    assert 'arthur_index_views{index="index"} 3.0' in text
    assert "\narthur_catalog_sequence " not in text


def test_errors_are_counted_by_their_code(client: httpx.Client) -> None:
    assert client.get("/api/v1/nothing").status_code == client.get("/nothing").status_code == 404
    line = next(one for one in client.get("/metrics").text.splitlines() if 'problems_total{code="not_found"}' in one)
    assert float(line.split()[1]) >= 2


def test_the_slowest_worker_tells_how_far_the_index_is(
    client: httpx.Client, put: Callable[..., httpx.Response]
) -> None:
    put(7)
    numbers = {name: float(value) for name, value in _in_step(client)}
    assert numbers['arthur_index_sequence{index="index"}'] == numbers["arthur_catalog_sequence"] > 0


def _in_step(client: httpx.Client) -> list[list[str]]:
    """Return the numbers as soon as all workers have seen the newest sequence."""
    wanted = ("arthur_catalog_sequence ", 'arthur_index_sequence{index="index"} ')
    for _ in range(100):
        text = client.get("/metrics").text
        found = [line.split() for line in text.splitlines() if line.startswith(wanted)]
        if len({value for _, value in found}) == 1:
            return found
        time.sleep(0.05)
    return found
