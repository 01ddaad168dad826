"""Compiles an engine with Torch-TensorRT: TensorRT kernels within a torch program, saved and loaded as a plan."""

from __future__ import annotations

import io
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import torch

from arthur.encode.cuda import OutOfMemory
from arthur.encode.folder import EngineFolder
from arthur.encode.ladder import Profile
from arthur.encode.session import first_line
from arthur.encode.spec import Variant
from arthur.encode.torch import Module, torch_module
from arthur.errors import ConfigError, EngineError

TorchTensorRt: TypeAlias = Any
"""The module `torch_tensorrt`, which has no types."""


def torch_tensorrt() -> TorchTensorRt:
    """Return the installed Torch-TensorRT.

    Raises:
        ConfigError: it is not there, or a library that it needs is not.
    """
    try:
        return import_module("torch_tensorrt")
    except (ImportError, OSError) as error:
        raise ConfigError(f"Torch-TensorRT cannot be used: {first_line(error)}; see docs/gpu.md") from error


def exported(folder: EngineFolder, precision: Variant, *, device: str, batch_max: int) -> torch.export.ExportedProgram:
    """Return the image graph as torch exports it, for 1 to `batch_max` pictures.

    Raises:
        ConfigError: torch has no such precision.
        EngineError: the graph cannot be read.
    """
    module = torch_module(folder, precision, device=device)
    side = folder.facts.side
    example = torch.zeros((2, side, side, 3), dtype=torch.uint8, device=device)  # 0 and 1 would be taken as fixed
    batch = torch.export.Dim("batch", min=1, max=max(batch_max, 2))
    return torch.export.export(module, (example,), dynamic_shapes={"pixels": {0: batch}})


def compile_program(folder: EngineFolder, precision: Variant, *, device: str, profile: Profile, timings: Path) -> bytes:
    """Compile the engine for a GPU and return what `load_program` reads.

    Raises:
        ConfigError: Torch-TensorRT is not there, or has no such precision.
        EngineError: it cannot compile the engine.
        OutOfMemory: the GPU has no room to try kernels.
    """
    library, side = torch_tensorrt(), folder.facts.side
    program = exported(folder, precision, device=device, batch_max=profile.most)
    shapes = [(size, side, side, 3) for size in (profile.least, profile.best, profile.most)]
    given = library.Input(min_shape=shapes[0], opt_shape=shapes[1], max_shape=shapes[2], dtype=torch.uint8)
    try:
        compiled = library.dynamo.compile(
            program,
            inputs=[given],
            device=torch.device(device),
            disable_tf32=precision == "fp32",
            min_block_size=1,
            timing_cache_path=str(timings),
            **_typed_as_told(library),
        )
        with tempfile.TemporaryDirectory(prefix="arthur-plan-") as scratch:
            path = Path(scratch) / "program.ep"
            library.save(compiled, str(path), output_format="exported_program", arg_inputs=[given])
            return path.read_bytes()
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(f"engine {folder.facts.name}: the GPU has no room to compile: {first_line(error)}") from error
    except Exception as error:  # the compiler's exceptions have no base of their own
        raise EngineError(
            f"engine {folder.facts.name}: Torch-TensorRT cannot compile it: {first_line(error)}"
        ) from error


def load_program(program: bytes, folder: EngineFolder) -> Module:
    """Load what `compile_program` gave on the same GPU, driver and version.

    Raises:
        ConfigError: Torch-TensorRT is not there.
        EngineError: it cannot load the program.
    """
    torch_tensorrt()  # makes its operators known to torch
    try:
        module: Module = torch.export.load(io.BytesIO(program)).module()
    except Exception as error:  # what a program of another version raises is not said anywhere
        raise EngineError(f"engine {folder.facts.name}: its program cannot be loaded: {first_line(error)}") from error
    return module


def _typed_as_told(library: TorchTensorRt) -> dict[str, bool]:
    """Ask for the graph's own types where that is a choice still: newer versions know nothing else."""
    known = library.dynamo.compile.__kwdefaults__ or {}
    return {"use_explicit_typing": True} if "use_explicit_typing" in known else {}
