"""Opens an engine where it is to run: on the CPU, or on a GPU with a stand-in while it is compiled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from arthur.encode.folder import EngineFolder, packaged_engines
from arthur.encode.onnx import OnnxEncoder
from arthur.encode.placed import PlacedEncoder, way
from arthur.encode.targets import ON_GPU, Target, ThisMachine, choose
from arthur.errors import ArthurError
from arthur.types import WantedRuntime

if TYPE_CHECKING:
    from arthur.encode import Encoder

log = structlog.get_logger(__name__)

_STAND_INS = ("torch", "onnx")


def chosen(
    folder: EngineFolder, runtime: WantedRuntime, device: str, *, batch_max: int = 8, folders: tuple[Path, ...] = ()
) -> Target:
    """Choose what runs the engine, and log why; plans of a packaged engine lie beside the pulled ones.

    Raises:
        ConfigError: that runtime or device is not there.
    """
    machine = ThisMachine()
    target, why = choose(runtime, device, machine)
    if target != Target("onnx") or machine.gpus():  # the usual needs no word
        log.info("engine_runs_on", engine=folder.facts.name, runtime=target.runtime, device=target.device, why=why)
    packaged = folder.path.parent == packaged_engines() and folders
    plans = (folders[0] if packaged else folder.path.parent) / folder.path.name / "plans"
    return replace(target, batch_max=batch_max, plans=plans)


def open_on(folder: EngineFolder, target: Target, *, threads: int, strict: bool = True) -> Encoder:
    """Open the engine on its target; torch, ONNX Runtime or the CPU stand in for what has to be compiled.

    Unless `strict`, the next of these runs the engine for good where the target cannot, and the log says why.

    Raises:
        ConfigError: what runs it is not installed.
        EngineError: it cannot be run, or is too far from what it should give.
    """
    if target.device == "cpu" and target.runtime == "onnx":
        return OnnxEncoder(folder, threads=threads)
    others = _stand_ins(target)
    try:
        best, *rest = (way(folder, one, threads=threads) for one in (target, *others))
        return PlacedEncoder(folder, best, rest)
    except ArthurError as error:
        if strict:
            raise
        told = {"engine": folder.facts.name, "runtime": target.runtime, "instead": others[0].runtime}
        log.warning("engine_cannot_run_there", **told, device=target.device, error=str(error))
        return open_on(folder, others[0], threads=threads, strict=False)


def _stand_ins(target: Target) -> list[Target]:
    """Return what can run an engine instead, best first; the last one is the CPU."""
    machine, gpu = ThisMachine(), _STAND_INS if target.planned else ()
    there = [replace(target, runtime=name) for name in ON_GPU if name in gpu and machine.has(name, gpu=True)]
    return [*there, Target("onnx")]
