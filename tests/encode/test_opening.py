"""Claims about where an engine is opened: where it was told, or wherever it can run."""

from pathlib import Path

import pytest

from arthur.encode import open_encoder
from arthur.encode.folder import find_folder, open_folder
from arthur.encode.opening import chosen, open_on
from arthur.encode.samples import drawn
from arthur.encode.targets import Target
from arthur.errors import ConfigError

BROKEN = [Target("tensorrt", "cuda:99"), Target("torch-tensorrt", "cuda:99"), Target("torch", "cuda:99")]


@pytest.mark.parametrize("target", BROKEN, ids=lambda target: target.runtime)
def test_what_does_not_run_is_one_clear_line_where_it_was_asked_for(tiny_engine: Path, target: Target) -> None:
    with pytest.raises(ConfigError) as caught:
        open_on(open_folder(tiny_engine), target, threads=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", BROKEN, ids=lambda target: target.runtime)
def test_what_does_not_run_is_passed_over_where_it_was_not(tiny_engine: Path, target: Target) -> None:
    encoder = open_on(open_folder(tiny_engine), target, threads=1, strict=False)
    assert encoder.spec.variant == "fp32"
    assert len(encoder.encode(drawn(16, count=2))) == 2


def test_an_engine_opens_on_the_cpu_it_was_told(tiny_engine: Path) -> None:
    encoder = open_encoder(str(tiny_engine), threads=1, runtime="onnx", device="cpu")
    assert len(encoder.encode(drawn(16, count=9))) == 9
    encoder.close()


def test_a_gpu_that_is_not_there_is_refused(tiny_engine: Path) -> None:
    with pytest.raises(ConfigError, match="GPU 99 was asked for"):
        open_encoder(str(tiny_engine), threads=1, device="cuda:99")


def test_plans_lie_beside_the_engine_they_are_of(tiny_engine: Path, tmp_path: Path) -> None:
    pulled = chosen(open_folder(tiny_engine), "onnx", "cpu", batch_max=8, folders=(tmp_path / "data",))
    assert pulled.plans == tiny_engine / "plans"


def test_plans_of_a_packaged_engine_lie_in_the_data_folder(tmp_path: Path) -> None:
    packaged = chosen(find_folder("arthur-mini"), "onnx", "cpu", batch_max=8, folders=(tmp_path / "engines",))
    assert packaged.plans == tmp_path / "engines" / "arthur_mini" / "plans"
