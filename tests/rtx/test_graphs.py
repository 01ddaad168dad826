"""Claims about every family of engines: TensorRT reads its graph and compiles it, in every precision, without a GPU.

Compiled by TensorRT for RTX, whose parser and builder are those of TensorRT and which needs no GPU to build:
`make gpu-graphs`.
"""

import shutil
from pathlib import Path

import pytest

from arthur.encode.export.engine import export_engine
from arthur.encode.export.materials import local_materials
from arthur.encode.export.ranges import ranges
from arthur.encode.folder import EngineFolder, open_folder
from arthur.encode.ladder import profiles
from arthur.encode.planning import Built, Order, build_plan
from arthur.encode.plans import Progress
from arthur.encode.samples import drawn
from arthur.encode.spec import Variant
from arthur.encode.tensorrt import Installed, installed
from arthur.errors import EngineError

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "engines" / "golden"
FAMILIES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
PRECISIONS: tuple[Variant, ...] = ("fp32", "fp16", "bf16", "int8", "fp8")
COMPUTE = "8.9"
"""The oldest GPUs that multiply fp8."""
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def found() -> Installed:
    return installed()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, EngineFolder]:
    """Every golden model as an engine's folder; one whose graph torch had to write has it already."""
    into = tmp_path_factory.mktemp("engines")
    return {name: folder_of(GOLDEN / name, into / name) for name in FAMILIES}


def folder_of(golden: Path, into: Path) -> EngineFolder:
    if (golden / "image.onnx").is_file():
        return open_folder(golden)
    return export_engine(local_materials(golden, name=golden.name.replace("_", "-")), into=into)


def compiled(folder: EngineFolder, found: Installed, precision: Variant, progress: Progress | None = None) -> Built:
    shown = drawn(folder.facts.side, count=2)
    limits = ranges(folder.path / folder.facts.image.file, shown) if precision in ("int8", "fp8") else {}
    return build_plan(folder, found, Order(precision, profiles(8), limits, compute=COMPUTE), progress=progress)


def test_it_is_the_tensorrt_that_needs_no_gpu(found: Installed) -> None:
    assert found.name.startswith("tensorrt_rtx 1.")
    assert found.strong


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_compiles(exported: dict[str, EngineFolder], found: Installed, name: str, precision: Variant) -> None:
    assert len(compiled(exported[name], found, precision).plan) > 100_000


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_arthur_mini_compiles(found: Installed, precision: Variant) -> None:
    plan = compiled(open_folder(ROOT / "engines" / "arthur_mini"), found, precision).plan
    assert len(plan) > 1_000_000


def test_half_precision_halves_the_plan_of_a_large_engine(found: Installed) -> None:
    mini = open_folder(ROOT / "engines" / "arthur_mini")
    full, half = (len(compiled(mini, found, precision).plan) for precision in ("fp32", "fp16"))
    assert half < 0.7 * full


def test_an_operator_that_is_unknown_is_named(
    exported: dict[str, EngineFolder], found: Installed, tmp_path: Path
) -> None:
    folder = open_folder(Path(shutil.copytree(exported["clip"].path, tmp_path / "clip")))
    path = folder.path / folder.facts.image.file
    path.write_bytes(path.read_bytes().replace(b"Softmax", b"Sortmax"))
    bare = folder.facts.image.model_copy(update={"sha256": None})
    changed = EngineFolder(folder.path, folder.facts.model_copy(update={"image": bare}))
    with pytest.raises(EngineError, match=r"engine clip: TensorRT cannot read its graph: .*Sortmax"):
        compiled(changed, found, "fp32")


def test_a_build_tells_how_far_it_is(exported: dict[str, EngineFolder], found: Installed) -> None:
    told: list[tuple[str, int, int]] = []
    compiled(exported["clip"], found, "fp16", progress=lambda *step: told.append(step))
    assert told
    assert all(done <= steps for _, done, steps in told)
