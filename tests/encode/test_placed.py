"""Claims about an engine that has to be compiled: it answers meanwhile, is checked, and is exchanged safely."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from arthur.encode import canary
from arthur.encode.folder import EngineFolder, open_folder
from arthur.encode.placed import PlacedEncoder, Way, way
from arthur.encode.runners import Runner, open_runner
from arthur.encode.samples import drawn
from arthur.encode.spec import Variant
from arthur.encode.targets import Target
from arthur.errors import ConfigError, EngineError, EngineMismatch

WAIT_S = 60


class Runs:
    """A runner over the full graph, turned away from it by `wrong`; tells when it was closed."""

    def __init__(self, folder: EngineFolder, *, wrong: float = 0.0) -> None:
        self.inner, self.wrong = open_runner(folder, "fp32", threads=1), wrong
        self.closed = threading.Event()

    def run(self, pixels: np.ndarray) -> np.ndarray:
        if self.closed.is_set():
            raise EngineError("used after it was closed")
        vectors = self.inner.run(pixels) + np.float32(self.wrong)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def folder(tiny_engine: Path) -> EngineFolder:
    return open_folder(tiny_engine)


def ready(runner: Runner, precision: Variant = "fp32") -> Way:
    return Way("fake", precision, lambda: runner, lambda: runner)


def later(make: Callable[[], Runner], precision: Variant = "fp16") -> Way:
    return Way("fake plan", precision, lambda: None, make)


def squares(folder: EngineFolder, count: int = 3) -> np.ndarray:
    return drawn(folder.facts.side, count=count)


def test_what_is_ready_answers_at_once(folder: EngineFolder) -> None:
    runner = Runs(folder)
    encoder = PlacedEncoder(folder, ready(runner, "fp16"), [])
    np.testing.assert_array_equal(encoder.encode(squares(folder)), runner.run(squares(folder)))
    assert encoder.spec.variant == "fp16"


def test_a_stand_in_answers_until_the_plan_is_made(folder: EngineFolder) -> None:
    stand_in, compiled, may_end = Runs(folder), Runs(folder), threading.Event()
    encoder = PlacedEncoder(folder, later(lambda: (may_end.wait(WAIT_S), compiled)[1]), [ready(stand_in)])
    before = encoder.encode(squares(folder))
    assert encoder.spec.variant == "fp32"
    may_end.set()
    assert stand_in.closed.wait(WAIT_S)
    np.testing.assert_allclose(encoder.encode(squares(folder)), before, atol=1e-6)
    assert encoder.spec.variant == "fp16"
    canary(encoder)


def test_callers_notice_nothing_of_the_exchange(folder: EngineFolder) -> None:
    stand_in, may_end, failures = Runs(folder), threading.Event(), []
    encoder = PlacedEncoder(folder, later(lambda: (may_end.wait(WAIT_S), Runs(folder))[1]), [ready(stand_in)])

    def call() -> None:
        while not stand_in.closed.is_set():
            try:
                encoder.encode(squares(folder, 1))
            except EngineError as error:
                failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    may_end.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert (failures, stand_in.closed.is_set()) == ([], True)


def test_a_plan_that_is_too_far_off_never_answers(folder: EngineFolder) -> None:
    stand_in, compiled = Runs(folder), Runs(folder, wrong=0.5)
    encoder = PlacedEncoder(folder, later(lambda: compiled), [ready(stand_in)])
    assert compiled.closed.wait(WAIT_S)
    assert encoder.spec.variant == "fp32"
    canary(encoder)


def test_a_plan_that_cannot_be_made_leaves_the_stand_in(folder: EngineFolder) -> None:
    tried = threading.Event()

    def fail() -> Runner:
        tried.set()
        raise EngineError("TensorRT cannot build it")

    encoder = PlacedEncoder(folder, later(fail), [ready(Runs(folder))])
    assert tried.wait(WAIT_S)
    assert len(encoder.encode(squares(folder))) == 3


def test_what_is_ready_but_too_far_off_is_refused(folder: EngineFolder) -> None:
    runner = Runs(folder, wrong=0.5)
    with pytest.raises(EngineMismatch, match=r"engine tiny: fp16 comes to a cosine of 0\.\d+, not 0\.999"):
        PlacedEncoder(folder, ready(runner, "fp16"), [])
    assert runner.closed.is_set()


def test_without_golden_vectors_it_is_compared_with_the_full_graph(folder: EngineFolder) -> None:
    bare = EngineFolder(folder.path, folder.facts.model_copy(update={"golden": None}))
    PlacedEncoder(bare, ready(Runs(bare), "fp16"), [])
    with pytest.raises(EngineMismatch):
        PlacedEncoder(bare, ready(Runs(bare, wrong=0.5), "fp16"), [])


def test_the_next_stand_in_is_tried(folder: EngineFolder) -> None:
    def missing() -> Runner:
        raise ConfigError("torch is not installed")

    broken = Way("broken", "fp16", missing, missing)
    encoder = PlacedEncoder(folder, later(missing), [broken, ready(Runs(folder))])
    assert encoder.spec.variant == "fp32"


def test_a_closed_engine_is_freed_and_refuses(folder: EngineFolder) -> None:
    runner = Runs(folder)
    encoder = PlacedEncoder(folder, ready(runner), [])
    encoder.close()
    encoder.close()
    assert runner.closed.is_set()
    with pytest.raises(EngineError, match="engine tiny is closed"):
        encoder.encode(squares(folder))


def test_a_plan_that_comes_after_the_end_is_freed(folder: EngineFolder) -> None:
    compiled, may_end = Runs(folder), threading.Event()
    encoder = PlacedEncoder(folder, later(lambda: (may_end.wait(WAIT_S), compiled)[1]), [ready(Runs(folder))])
    encoder.close()
    may_end.set()
    assert compiled.closed.wait(WAIT_S)


def test_a_gpu_runs_what_was_built_for_it(folder: EngineFolder) -> None:
    passport = {"precision": "int8", "runtime": "tensorrt 10.13.3", "cpu": "x", "pictures": 2, "cosine": 0.999}
    built = type(folder.facts).model_validate({**folder.facts.model_dump(), "passport": passport})
    found = EngineFolder(folder.path, built)
    assert way(found, Target("tensorrt", "cuda:0")).precision == "int8"
    assert way(found, Target("torch", "cuda:0")).precision == "fp16"
    assert way(found, Target("onnx")).precision == "fp32"
