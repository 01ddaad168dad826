"""Claims of the numbers for Prometheus."""

from __future__ import annotations

from arthur.web.metrics import Metrics


def test_what_happens_to_the_cache_is_counted_once() -> None:
    stats = {"hits": 2, "faults": 1}
    metrics = Metrics(lambda: stats)
    for _ in range(3):
        metrics.answered("/x", "GET", 200, 0.1)
    stats["hits"] = 5
    metrics.answered("/x", "GET", 200, 0.1)
    text = metrics.exposition().decode()
    assert 'arthur_cache_events_total{event="hits"} 5.0' in text
    assert 'arthur_cache_events_total{event="faults"} 1.0' in text
