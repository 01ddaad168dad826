"""Claims about TensorRT's adapter that need no GPU: versions, precisions, contexts and errors."""

from types import SimpleNamespace

import numpy as np
import pytest

from arthur.encode.cuda import BoundCuda, OutOfMemory
from arthur.encode.ladder import profiles
from arthur.encode.spec import EngineFile
from arthur.encode.tensorrt import Installed, installed, open_plan
from arthur.errors import ConfigError, EngineError, EngineMismatch
from tests.encode.fake_cuda import FakeCuda
from tests.encode.fake_tensorrt import Vendor

FACTS = EngineFile.model_validate(
    {
        "name": "tiny", "architecture": "matrix", "licence": "none", "side": 16, "fit": "stretch", "dim": 2,
        "mean": (0, 0, 0), "std": (1, 1, 1), "image": {"file": "image.onnx"},
    }
)  # fmt: skip
VERSIONS = ["8.6.0", "10.13.3", "11.4.0"]


def modules(**there: object) -> object:
    """Return what imports only these."""

    def load(name: str) -> object:
        if name not in there:
            raise ImportError(name)
        return there[name]

    return load


@pytest.mark.parametrize(("version", "strong"), [("8.6.0", False), ("10.13.3", True), ("11.4.0", True)])
def test_versions_are_told_apart_by_what_they_offer(version: str, strong: bool) -> None:  # noqa: FBT001 - a case
    found = installed(modules(tensorrt=Vendor(version, FakeCuda())))
    assert (found.name, found.strong) == (f"tensorrt {version}", strong)


def test_rtx_is_taken_where_there_is_no_other() -> None:
    assert installed(modules(tensorrt_rtx_bindings=Vendor("1.7.1", FakeCuda()))).name == "tensorrt_rtx 1.7.1"


def test_a_missing_tensorrt_is_named() -> None:
    with pytest.raises(ConfigError, match="TensorRT is not installed: pip install"):
        installed(modules())


@pytest.mark.parametrize(("strong", "precision", "capability"), [
    (False, "bf16", "9.0"), (False, "fp8", "9.0"), (True, "fp8", "8.6"), (True, "bf16", "7.5"),
])  # fmt: skip
def test_a_precision_that_is_not_there_is_refused(strong: bool, precision: str, capability: str) -> None:  # noqa: FBT001
    with pytest.raises(
        ConfigError, match=rf"^tensorrt 1 on compute capability {capability} runs fp32.*, not {precision}$"
    ):
        Installed(SimpleNamespace(), "tensorrt 1", strong).check(precision, capability)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_batch_size_runs_in_every_version(version: str) -> None:
    cuda = FakeCuda()
    lanes = open_plan(b"plan", FACTS, Vendor(version, cuda), cuda, profiles=profiles(8))
    for count in range(1, 9):
        pixels = np.full((count, 16, 16, 3), count, np.uint8)
        np.testing.assert_array_equal(lanes.run(pixels), [[16 * 16 * 3 * count, 1]] * count)
    assert lanes.parallel == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_each_batch_size_has_a_context_of_its_own_in_its_profile(version: str) -> None:
    vendor = Vendor(version, cuda := FakeCuda())
    open_plan(b"plan", FACTS, vendor, cuda, profiles=profiles(8))
    found = {(context.shape[0], context.profile) for context in vendor.contexts}
    assert found == {(1, 0), (2, 0), (3, 0), (4, 0), (6, 1), (8, 1)}
    assert len(vendor.contexts) == 2 * 6
    assert len({context.scratch for context in vendor.contexts}) == 2


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_as_many_lanes_run_as_are_wanted(wanted: int) -> None:
    cuda = FakeCuda()
    lanes = open_plan(b"plan", FACTS, Vendor("10.13.3", cuda), cuda, profiles=profiles(8), lanes=wanted)
    assert (lanes.parallel, cuda.streams) == (wanted, wanted)


def test_one_lane_runs_where_there_is_no_room_for_two() -> None:
    cuda = FakeCuda(room=150_000)
    assert open_plan(b"plan", FACTS, Vendor("10.13.3", cuda), cuda, profiles=profiles(8)).parallel == 1


def test_too_little_memory_for_one_lane_is_one_clear_line() -> None:
    cuda = FakeCuda(room=50_000)
    with pytest.raises(
        OutOfMemory, match=r"engine tiny: the GPU has no room for batches of 8 .*; lower batch_max: .*$"
    ):
        open_plan(b"plan", FACTS, Vendor("10.13.3", cuda), cuda, profiles=profiles(8))
    assert cuda.released


def test_a_plan_that_does_not_load_is_an_error() -> None:
    cuda = FakeCuda()
    with pytest.raises(EngineError, match="TensorRT cannot load its plan: the plan is truncated"):
        open_plan(b"", FACTS, Vendor("10.13.3", cuda), cuda, profiles=profiles(8))
    assert cuda.released


def test_a_plan_of_another_engine_is_refused() -> None:
    cuda, other = FakeCuda(), FACTS.model_copy(update={"dim": 3})
    with pytest.raises(EngineMismatch, match=r"engine tiny: its plan has pixels .* vectors of dim 3"):
        open_plan(b"plan", other, Vendor("10.13.3", cuda), cuda, profiles=profiles(8))


def test_a_run_that_fails_tells_why() -> None:
    vendor = Vendor("10.13.3", cuda := FakeCuda(recordable=False))
    lanes = open_plan(b"plan", FACTS, vendor, cuda, profiles=profiles(8))
    vendor.failing = "an illegal memory access was encountered"
    with pytest.raises(EngineError, match="engine tiny failed: a batch of 1 did not run: an illegal memory access"):
        lanes.run(np.zeros((1, 16, 16, 3), np.uint8))


def test_a_gpu_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(ConfigError) as caught:
        BoundCuda(999)
    assert "\n" not in str(caught.value)
