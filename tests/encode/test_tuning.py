"""Claims about tuning: what is tried, what is chosen, what is kept, and when it is used."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest

from arthur.encode import cuda, open_encoder, runners
from arthur.encode.export.engine import export_engine
from arthur.encode.export.materials import local_materials
from arthur.encode.folder import EngineFolder, open_folder
from arthur.encode.pool import Pool
from arthur.encode.runners import cpu_model, open_runner
from arthur.encode.spec import Tuning, engine_file_text
from arthur.encode.sweep import Figure, Graph, Grid, Point, Setting, Sweep
from arthur.encode.targets import Target
from arthur.encode.tuned import Running, running, tuning_here
from arthur.encode.tuning import Goal, chosen, promising, tune
from arthur.errors import ConfigError, EngineError
from arthur.processors import usable_cores
from tests.encode.fake_cuda import FakeCuda

GOLDEN = Path(__file__).parents[1] / "engines" / "golden"
FULL, SMALL = Graph("fp32", 1), Graph("int8", 1)
GRID = Grid(threads=(1,), batches=(1, 4), waits_ms=(0.0, 1.0), clients=4, shares=(0.5,), seconds=0.05, repeats=2)


def nothing(_done: int, _total: int) -> None:
    """Tell nobody."""


def figure(value: float, spread: float = 0.0) -> Figure:
    return Figure(value, value - spread, value + spread)


def point(per_s: float, p95_ms: float, *, spread: float = 0.0, batch: int = 1) -> Point:
    return Point(Setting(FULL, batch, 0.0), 0.5, figure(per_s, spread), figure(p95_ms / 2), figure(p95_ms))


@pytest.fixture
def engine(tmp_path: Path) -> EngineFolder:
    """A pulled engine, small but whole."""
    return export_engine(local_materials(GOLDEN / "clip"), into=tmp_path / "engines" / "clip")


def test_slow_graphs_are_not_put_under_load() -> None:
    times = {FULL: {1: figure(10), 4: figure(40)}, SMALL: {1: figure(4), 4: figure(15)}}
    assert {setting.graph for setting in promising(times, GRID)} == {SMALL}


def test_a_batch_that_brings_nothing_is_not_tried() -> None:
    times = {FULL: {1: figure(10), 4: figure(40), 8: figure(40)}}
    settings = [(one.batch_max, one.wait_ms) for one in promising(times, GRID)]
    assert settings == [(1, 0.0), (8, 0.0), (8, 1.0)]


def test_streams_are_tried_while_each_thread_has_a_core() -> None:
    times = {FULL: {1: figure(10)}, Graph("fp32", 4): {1: figure(10)}, Graph("fp32", 8): {1: figure(10)}}
    grid = replace(GRID, streams=(1, 2, 4), threads_max=4)
    tried = [(one.graph.threads, one.streams) for one in promising(times, grid)]
    assert tried == [(1, 1), (1, 2), (1, 4), (4, 1), (8, 1)]


def test_a_graph_that_was_disturbed_is_still_tried() -> None:
    times = {FULL: {1: Figure(90, 10, 200)}, SMALL: {1: Figure(10, 9, 11)}}
    assert {setting.graph for setting in promising(times, GRID)} == {FULL, SMALL}


def test_the_highest_throughput_within_the_goal_is_chosen() -> None:
    points = [point(10, 5), point(50, 40), point(90, 200)]
    assert chosen(points, 100).per_s.median == 50
    assert chosen(points, 300).per_s.median == 90


def test_of_equals_the_quickest_is_chosen() -> None:
    points = [point(50, 40, spread=3), point(48, 20, spread=3, batch=2), point(30, 1, spread=3, batch=3)]
    assert chosen(points, 100).p95_ms.median == 20


def test_a_setting_is_judged_by_its_highest_load() -> None:
    points = [point(25, 4, spread=30), point(50, 40, spread=30)]
    assert chosen(points, 100).per_s.median == 50


def test_a_goal_that_nothing_meets_is_told() -> None:
    with pytest.raises(EngineError, match=r"no setting answers 95 % within 3 ms; the nearest: fp32.*5\.0 ms.*nothing"):
        chosen([point(10, 5), point(20, 9)], 3)


class Wide:
    """A runner of a GPU with three lanes that notes how many are in use. See GpuRunner."""

    parallel = 3

    def __init__(self, folder: EngineFolder) -> None:
        self.lanes = Pool([Quick(self) for _ in range(self.parallel)], name="wide", batch_max=4)
        self.dim, self.running, self.most, self.closed = folder.facts.dim, 0, 0, False
        self.lock = threading.Lock()

    def run(self, pixels: np.ndarray) -> np.ndarray:
        return self.lanes.run(pixels)

    def close(self) -> None:
        self.lanes.empty()
        self.closed = True


class Quick:
    """One of its lanes: takes two milliseconds."""

    def __init__(self, runner: Wide) -> None:
        self.runner = runner

    def run(self, pixels: np.ndarray) -> np.ndarray:
        with self.runner.lock:
            self.runner.running += 1
            self.runner.most = max(self.runner.most, self.runner.running)
        time.sleep(0.002)
        with self.runner.lock:
            self.runner.running -= 1
        return np.full((len(pixels), self.runner.dim), self.runner.dim**-0.5, np.float32)


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_a_gpu_gets_as_many_batches_at_a_time_as_there_are_streams(engine: EngineFolder, streams: int) -> None:
    opened: list[Wide] = []

    def opening(_: Graph) -> Wide:
        opened.append(Wide(engine))
        return opened[-1]

    sweep = Sweep(engine, opening, GRID, nothing)
    (found,) = sweep.points([Setting(Graph("fp16", 1), 1, 0.0, streams)])
    assert found.setting.streams == streams
    assert ([one.most for one in opened], [one.closed for one in opened]) == ([streams], [True])
    assert {row["streams"] for row in sweep.rows} == {streams}


def test_a_gpu_is_tuned_with_room_for_all_that_is_tried(engine: EngineFolder) -> None:
    goal = Goal(9.0, ("fp16",), replace(GRID, streams=(1, 3)), target=Target("tensorrt", "cuda:1"))
    assert goal.target_in(engine) == Target("tensorrt", "cuda:1", 4, engine.path / "plans", 3)


class OnGpu(Wide):
    """The same over the engine's own graph."""

    def __init__(self, folder: EngineFolder, target: Target) -> None:
        super().__init__(folder)
        full = open_runner(folder, "fp32", threads=1)
        self.lanes = Pool([full] * target.lanes, name="wide", batch_max=target.batch_max)


def test_what_was_found_on_a_gpu_is_kept_for_that_gpu(
    engine: EngineFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "_open_on", lambda folder, _precision, target, **_: OnGpu(folder, target))
    monkeypatch.setattr(runners, "_version", lambda module: f"{module} 1")
    monkeypatch.setattr(cuda, "BoundCuda", lambda _: FakeCuda())
    goal = Goal(5000.0, ("fp16",), replace(GRID, streams=(2, 3)), target=Target("torch", "cuda:0"))
    tuned = tune("clip", goal, into=tmp_path / "engines", advance=nothing)
    tuning, passport = tuned.folder.facts.tuning, tuned.folder.facts.passport
    assert (tuning.where, tuning.streams) == ("torch on Fake 1", tuned.best.setting.streams)
    assert (passport.precision, passport.runtime, passport.gpu) == ("fp16", "torch 1", "Fake 1")
    assert tuning_here(tuned.folder.facts, goal.target) == tuning
    assert tuning_here(tuned.folder.facts) is None


def test_what_was_found_is_kept_and_used(engine: EngineFolder, tmp_path: Path) -> None:
    goal = Goal(5000.0, ("fp32", "int8"), replace(GRID, streams=(1, 2)))
    tuned = tune("clip", goal, into=tmp_path / "engines", advance=nothing)
    kept, setting = open_folder(tuned.folder.path), tuned.best.setting
    assert (kept.path, kept.facts.passport.precision) == (engine.path, setting.graph.precision)
    assert (kept.facts.tuning.threads, kept.facts.tuning.batch_max) == (1, setting.batch_max)
    assert (kept.facts.tuning.streams, kept.facts.tuning.where) == (setting.streams, "cpu")
    assert kept.spec().fingerprint == engine.spec().fingerprint
    assert tuning_here(kept.facts) == kept.facts.tuning


def test_observations_plot_and_log_lie_in_the_folder(engine: EngineFolder, tmp_path: Path) -> None:
    tune("clip", Goal(5000.0, ("fp32",), GRID), into=tmp_path / "engines", advance=nothing)
    rows = pl.read_parquet(engine.path / "tune.parquet")
    assert set(rows["load"]) == {"run", "closed", "open"}
    assert {"at", "cpu", "cores", "load_1m", "runtimes", "seed", "precision", "latency_ms"} <= set(rows.columns)
    assert ET.parse(engine.path / "tune.svg").getroot().tag.endswith("svg")
    assert [line.split()[1] for line in (engine.path / "engine.log").read_text().splitlines()] == ["tune", "tuned:"]


def test_a_tuning_that_fails_changes_nothing(engine: EngineFolder, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in engine.path.iterdir()}
    with pytest.raises(EngineError, match=r"within 0\.001 ms"):
        tune("clip", Goal(0.001, ("fp32",), GRID), into=tmp_path / "engines", advance=nothing)
    assert {path.name: path.read_bytes() for path in engine.path.iterdir()} == before
    assert [path.name for path in engine.path.parent.iterdir()] == ["clip"]
    with pytest.raises(ConfigError, match="neither a folder nor one of"):
        tune("nothing", Goal(1.0, ("fp32",), GRID), into=tmp_path / "engines", advance=nothing)


def tuned_facts(folder: EngineFolder, **change: object) -> EngineFolder:
    """Write a tuning of this machine, or of one that differs, into an engine."""
    tuning = Tuning(
        threads=1,
        batch_max=3,
        batch_wait_ms=2,
        streams=2,
        goal_ms=9,
        per_s=1,
        p95_ms=5,
        cpu=cpu_model(),
        cores=usable_cores(),
    )
    facts = folder.facts.model_copy(update={"tuning": tuning.model_copy(update=change)})
    (folder.path / "engine.toml").write_text(engine_file_text(facts))
    return open_folder(folder.path)


def test_settings_come_before_tuning_and_tuning_before_the_usual(engine: EngineFolder) -> None:
    facts = tuned_facts(engine).facts
    tuning = tuning_here(facts)
    assert running(tuning, threads=None, batch_max=None, batch_wait_ms=None) == Running(1, 3, 2.0, 2)
    assert running(tuning, threads=0, batch_max=5, batch_wait_ms=0.0) == Running(0, 5, 0.0, 2)
    assert running(None, threads=None, batch_max=None, batch_wait_ms=None) == Running(0, 8, 0.0)


@pytest.mark.parametrize("change", [{"cpu": "another"}, {"cores": 999}, {"where": "tensorrt on Fake 1"}])
def test_a_tuning_of_another_machine_says_nothing(engine: EngineFolder, change: dict[str, object]) -> None:
    assert tuning_here(tuned_facts(engine, **change).facts) is None


@pytest.mark.parametrize(
    ("where", "holds"), [("tensorrt on Fake 1", True), ("tensorrt on Fake 2", False), ("cpu", False)]
)
def test_a_tuning_of_a_gpu_holds_on_that_gpu_alone(engine: EngineFolder, where: str, *, holds: bool) -> None:
    facts = tuned_facts(engine, where=where).facts
    found = tuning_here(facts, Target("tensorrt", "cuda:0"), place=lambda _: "tensorrt on Fake 1")
    assert (found is not None) == holds


def test_an_encoder_runs_as_it_was_tuned(engine: EngineFolder) -> None:
    tuned_facts(engine)
    for given, batch_max in ((None, 3), (7, 7)):
        encoder = open_encoder(str(engine.path), batch_max=given)
        assert len(encoder._workers) == 2
        with pytest.raises(EngineError, match=f"more than a batch of {batch_max}"):
            encoder.submit(np.zeros((batch_max + 1, 32, 32, 3), np.uint8))
        encoder.close()
