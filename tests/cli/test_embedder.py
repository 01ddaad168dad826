"""Commands whose engine runs in an embedding service, and `arthur embedder` itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arthur.encode import open_engine
from tests.embedding_service import Service, serving


@pytest.fixture
def service(tiny_engine: Path) -> Iterator[Service]:
    encoder = open_engine(str(tiny_engine), threads=1)
    with serving(encoder) as running:
        yield running
    encoder.close()


@pytest.fixture
def away(arthur: Callable[..., Any], service: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command line with its engine in the service."""
    monkeypatch.setenv("ARTHUR_ENGINE", service.url)
    return arthur


def test_what_a_service_embedded_is_found_with_the_engine_at_home_and_the_other_way_round(
    arthur: Callable[..., Any], service: Service, shelf: Path
) -> None:
    assert arthur("import", shelf / "a0", "--artist", "a0").status == 0
    assert arthur("import", shelf / "a1", "--artist", "a1", "--engine", service.url).status == 0
    for engine in (["--engine", service.url], []):
        found = arthur("match", shelf / "a0" / "e2.png", shelf / "a1" / "e3.png", "--json", *engine).json
        assert [row["matches"][0]["entry_id"] for row in found] == ["e2", "e3"]


def test_status_tells_how_the_services_are(away: Callable[..., Any], service: Service) -> None:
    (status,) = away("status", "--json").json
    assert status["embedders"] == {service.url: "ok"}
    assert status["engine"] == service.encoder.spec.label


def test_doctor_tells_how_each_service_is(arthur: Callable[..., Any], service: Service) -> None:
    done = arthur("doctor", "--engine", f"{service.url},unix:/nowhere/s", "--json")
    found = [(row["state"], row["detail"]) for row in done.json if row["part"] == "embedder"]
    assert found == [("ok", f"{service.url} answers"), ("warning", "unix:/nowhere/s: no such file or directory")]


def test_text_is_refused_where_the_engine_of_the_service_reads_none(away: Callable[..., Any]) -> None:
    done = away("search", "a red square")
    assert (done.status, done.err) == (1, "arthur: the engine tiny has no text tower, so it cannot search by text\n")


def test_a_service_does_not_run_on_another_service(away: Callable[..., Any], service: Service) -> None:
    done = away("embedder", "serve", "--listen", f"{service.url}2")
    assert done.status == 2
    assert "runs an engine itself; name one with --engine" in done.err


@pytest.mark.parametrize(
    ("listen", "word"),
    [
        ("ftp://a:1", "is no address"),
        ("unix:/a,unix:/b", "at one address"),
        ("unix:/nowhere/s", "No such file or directory; choose another --listen"),
        ("http://192.0.2.1:9100", "Cannot assign requested address; choose another --listen"),
    ],
)
def test_an_address_that_cannot_be_is_told_in_one_line(arthur: Callable[..., Any], listen: str, word: str) -> None:
    done = arthur("embedder", "serve", "--listen", listen)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert word in done.err


def test_an_engine_and_a_service_exclude_each_other(arthur: Callable[..., Any]) -> None:
    done = arthur("serve", "--engine", "arthur-mini", "--embedder", "unix:/s")
    assert (done.status, done.err.count("\n")) == (2, 1)


def test_no_thread_is_left_behind(away: Callable[..., Any]) -> None:
    before = threading.active_count()
    away("status")
    assert threading.active_count() == before
