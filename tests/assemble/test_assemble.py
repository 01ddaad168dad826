"""Opening and closing the whole, on real parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from arthur.assemble import open_arthur
from arthur.catalog.sql import SqlCatalog
from arthur.config import Settings, load_settings, packed_settings, unpacked_settings
from arthur.encode.folder import open_folder
from arthur.encode.runners import cpu_model
from arthur.encode.spec import Tuning, engine_file_text
from arthur.errors import ConfigError, EngineError
from arthur.processors import usable_cores
from arthur.recognizer import Enrolment
from arthur.trades import reach_of
from arthur.types import ViewId
from tests.conftest import tiny_graph
from tests.models import picture


@pytest.fixture
def settings(tmp_path: Path, tiny_engine: Path) -> Callable[..., Settings]:
    """Settings over a folder of its own with the tiny engine: `settings(index=...)`."""
    given = {"data": tmp_path / "data", "engine": str(tiny_engine), "index": "exact:"}
    return lambda **more: load_settings(**(given | more))


def test_a_view_is_found_after_opening_again(settings: Callable[..., Settings]) -> None:
    with open_arthur(settings()) as arthur:
        arthur.recognizer.enroll(Enrolment(ViewId("a", "e", "v"), picture(1)))
    with open_arthur(settings()) as arthur:
        assert arthur.recognizer.recognize(picture(1)).matches[0].view == ViewId("a", "e", "v")


def test_closing_twice_is_allowed(settings: Callable[..., Settings]) -> None:
    arthur = open_arthur(settings())
    arthur.close()
    arthur.close()


def test_the_data_folder_is_made(settings: Callable[..., Settings], tmp_path: Path) -> None:
    open_arthur(settings(data=tmp_path / "new" / "data")).close()
    assert (tmp_path / "new" / "data" / "catalog.db").is_file()


def test_a_file_in_place_of_the_data_folder_is_a_clear_error(settings: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file cannot be used: .*--data"):
        open_arthur(settings(data=tmp_path / "file"))


@pytest.mark.parametrize("wrong", [{"engine": "no-such-engine"}, {"index": "nowhere:"}])
def test_what_was_opened_is_closed_when_a_later_part_fails(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
    closed: list[Any] = []
    close = SqlCatalog.close
    monkeypatch.setattr(SqlCatalog, "close", lambda catalog: closed.append(catalog) or close(catalog))
    with pytest.raises(ConfigError):
        open_arthur(settings(**wrong))
    assert len(closed) == 1


def test_ready_and_status_of_a_fresh_one(settings: Callable[..., Settings]) -> None:
    with open_arthur(settings()) as arthur:
        arthur.recognizer.ready()
        assert arthur.recognizer.status()["degraded"] == []


@pytest.mark.parametrize(("setting", "told"), [("other", 1), ("arthur-mini", 0), ("tiny", 0)])
def test_the_engine_in_force_wins_over_the_setting(
    settings: Callable[..., Settings], write_engine: Callable[..., Path], setting: str, told: int
) -> None:
    folders = {"other": str(write_engine("other", graph=tiny_graph(seed=2))), "tiny": settings().engine}
    with open_arthur(settings()) as arthur:
        arthur.recognizer.enroll(Enrolment(ViewId("a", "e", "v"), picture(1)))
    with capture_logs() as logs, open_arthur(settings(engine=folders.get(setting, setting))) as arthur:
        assert arthur.recognizer.recognize(picture(1)).engine.startswith("tiny@")
    assert [line["event"] for line in logs].count("engine_setting_passed_over") == told


def test_the_setting_counts_for_a_catalogue_that_was_emptied(
    settings: Callable[..., Settings], write_engine: Callable[..., Path]
) -> None:
    with open_arthur(settings()) as arthur:
        arthur.recognizer.enroll(Enrolment(ViewId("a", "e", "v"), picture(1)))
        arthur.recognizer.forget("a")
    other = settings(engine=str(write_engine("other", graph=tiny_graph(seed=2))))
    with open_arthur(other) as arthur:
        arthur.recognizer.enroll(Enrolment(ViewId("a", "e", "v"), picture(1)))
        assert arthur.recognizer.recognize(picture(1)).engine.startswith("other@")


def test_vectors_and_answers_carry_the_passport(settings: Callable[..., Settings]) -> None:
    with open_arthur(settings()) as arthur:
        arthur.recognizer.enroll(Enrolment(ViewId("a", "e", "v"), picture(1)))
        answer = arthur.recognizer.recognize(picture(1))
        assert list(arthur.catalog.passports()) == [answer.passport]
        assert arthur.recognizer.status()["passport"]["id"] == answer.passport


def test_settings_reach_another_process_with_what_was_set(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = settings(batch_max=3, cors_origins=("https://a.example",))
    line = packed_settings(sent)
    monkeypatch.setenv("ARTHUR_BATCH_WAIT_MS", "7")
    got = unpacked_settings(line)
    assert (got, got.model_fields_set) == (sent, {"data", "engine", "index", "batch_max", "cors_origins"})


@pytest.mark.parametrize(("told", "batch_max"), [({}, 3), ({"batch_max": 5}, 5)], ids=["tuned", "told"])
def test_an_engine_runs_as_it_was_tuned_unless_settings_say_otherwise(
    settings: Callable[..., Settings], tiny_engine: Path, told: dict[str, int], batch_max: int
) -> None:
    tuning = Tuning(threads=1, batch_max=3, batch_wait_ms=0, goal_ms=9, per_s=1, p95_ms=5, cpu=cpu_model(),
                    cores=usable_cores())  # fmt: skip
    facts = open_folder(tiny_engine).facts.model_copy(update={"tuning": tuning})
    (tiny_engine / "engine.toml").write_text(engine_file_text(facts))
    with (
        open_arthur(unpacked_settings(packed_settings(settings(**told)))) as arthur,
        pytest.raises(EngineError, match=f"more than a batch of {batch_max}"),
    ):
        arthur.encoder.submit(np.zeros((batch_max + 1, 16, 16, 3), np.uint8))


def test_an_empty_import_root_is_none(tmp_path: Path) -> None:
    assert reach_of(Settings(import_root="")).root is None
    assert reach_of(Settings(import_root=str(tmp_path))).root == tmp_path
