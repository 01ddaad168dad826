"""Claims about the choice of a runtime: the best that is there, or one clear error."""

from dataclasses import dataclass

import pytest

from arthur.encode.targets import Target, ThisMachine, choose
from arthur.errors import ConfigError


@dataclass
class Box:
    """See Machine."""

    count: int = 0
    there: tuple[str, ...] = ("onnx",)

    def gpus(self) -> int:
        return self.count

    def has(self, runtime: str, *, gpu: bool) -> bool:
        return runtime in self.there


ALL = ("tensorrt", "torch-tensorrt", "torch", "onnx", "openvino")
CHOICES = [
    (("auto", "auto"), Box(), ("onnx", "cpu")),
    (("auto", "auto"), Box(1, ALL), ("tensorrt", "cuda:0")),
    (("auto", "auto"), Box(1, ("torch-tensorrt", "torch", "onnx")), ("torch-tensorrt", "cuda:0")),
    (("auto", "auto"), Box(1, ("torch", "onnx")), ("torch", "cuda:0")),
    (("auto", "auto"), Box(1, ()), ("onnx", "cpu")),
    (("auto", "cpu"), Box(1, ALL), ("onnx", "cpu")),
    (("auto", "cuda:1"), Box(2, ALL), ("tensorrt", "cuda:1")),
    (("onnx", "cuda"), Box(1, ALL), ("onnx", "cuda:0")),
    (("torch", "cpu"), Box(0, ALL), ("torch", "cpu")),
    (("torch", "auto"), Box(0, ALL), ("torch", "cpu")),
    (("openvino", "auto"), Box(1, ALL), ("openvino", "cpu")),
]
REFUSALS = [
    (("tensorrt", "auto"), Box(0, ALL), "GPU 0 was asked for, but the NVIDIA driver shows 0"),
    (("auto", "cuda:1"), Box(1, ALL), "GPU 1 was asked for, but the NVIDIA driver shows 1"),
    (("tensorrt", "auto"), Box(1), "runtime tensorrt is not installed for cuda:0"),
    (("tensorrt", "cpu"), Box(1, ALL), "runtime tensorrt does not run on cpu; what does: onnx, openvino, torch"),
    (("openvino", "cpu"), Box(), "runtime openvino is not installed for cpu"),
    (("auto", "cuda"), Box(1, ()), "no runtime for cuda:0 is installed"),
    (("auto", "gpu"), Box(1, ALL), "device 'gpu' is none of auto, cpu, cuda"),
    (("auto", "cuda:x"), Box(1, ALL), "device 'cuda:x' is none of"),
    (("auto", "auto:1"), Box(1, ALL), "device 'auto:1' is none of"),
]


@pytest.mark.parametrize(("wanted", "machine", "expected"), CHOICES)
def test_the_best_runtime_is_chosen(wanted: tuple[str, str], machine: Box, expected: tuple[str, str]) -> None:
    target, why = choose(*wanted, machine)
    assert (target.runtime, target.device) == expected
    assert why


@pytest.mark.parametrize(("wanted", "machine", "message"), REFUSALS)
def test_what_is_not_there_is_named(wanted: tuple[str, str], machine: Box, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose(*wanted, machine)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("runtime", "device", "precision", "lanes"), [
    ("tensorrt", "cuda:0", "fp16", 2), ("torch", "cuda:0", "fp16", 2), ("onnx", "cuda:0", "fp32", 1),
    ("torch", "cpu", "fp32", 1), ("openvino", "cpu", "bf16", 1),
])  # fmt: skip
def test_a_target_has_a_precision_and_lanes_of_its_own(runtime: str, device: str, precision: str, lanes: int) -> None:
    assert (Target(runtime, device).precision, Target(runtime, device).lanes) == (precision, lanes)


def test_this_machine_has_the_runtime_that_comes_with_arthur() -> None:
    assert ThisMachine().has("onnx", gpu=False)
    assert ThisMachine().gpus() >= 0
