"""`arthur engines build`, `verify`, `bench` and `passport`: what an engine runs in on this machine, and how well."""

from __future__ import annotations

import dataclasses
import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arthur.cli.engines import Data, Json, print_rows, pulled_folder
from arthur.cli.output import answer, emit, progress_bar
from arthur.cli.placing import placed
from arthur.errors import ConfigError, InvalidImage

if TYPE_CHECKING:
    from arthur.encode.building import Place
    from arthur.encode.folder import EngineFolder
    from arthur.encode.journal import Advance
    from arthur.encode.precision import Compared
    from arthur.types import JsonValue, Pixels

Precision = Annotated[
    Literal["fp32", "fp16", "bf16", "int8", "fp8"],
    typer.Option(help="On a CPU int8 runs in ONNX Runtime, bf16 in OpenVINO, fp32 in ONNX Runtime."),
]
Runtime = Annotated[
    Literal["tensorrt", "torch-tensorrt", "torch", "onnx"] | None,
    typer.Option(help="What runs it on a GPU.", show_default="the CPU"),
]
Device = Annotated[str, typer.Option(help="The GPU, as in cuda:1, where there is a --runtime.")]
BatchMax = Annotated[int, typer.Option(min=1, help="Pictures in one run at most, for what is compiled for a GPU.")]
Name = Annotated[str, typer.Argument(help="Name of an engine, or its folder.")]
Pictures = Annotated[
    Path | None, typer.Option(help="Folder of your own pictures to compare on.", show_default="drawn ones")
]
Threads = Annotated[int, typer.Option(min=0, help="Threads of the engine; 0 is one per core.")]

_MOST_PICTURES = 256


def add_commands(engines: typer.Typer) -> None:
    """Add the commands to `arthur engines`."""
    engines.command("build")(build_command)
    engines.command("verify")(verify_command)
    engines.command("bench")(bench_command)
    engines.command("passport")(passport_command)


def build_command(
    engine: Name,
    precision: Precision = "int8",
    pictures: Pictures = None,
    data: Data = None,
    threads: Threads = 0,
    runtime: Runtime = None,
    device: Device = "cuda",
    batch_max: BatchMax = 64,
    *,
    as_json: Json = False,
) -> None:
    """Let an engine run in another precision, if that comes near enough to the full one; else nothing changes."""
    from arthur.encode.building import build

    into = pulled_folder(data)
    folder = found_folder(engine, into)
    shown = squares(pictures, folder)
    with (
        placed(folder, runtime, device, batch_max=batch_max) as place,
        _comparing(precision, place) as advance,
    ):
        folder, found = build(
            engine, precision, into=into, pictures=shown, threads=threads, place=place, advance=advance
        )
    row = {**_row(found), "path": str(folder.path)}
    answer(row, f"{engine} runs in {precision} from the next start on ({_line(found)})", json=as_json)


def _comparing(precision: str, place: Place | None) -> AbstractContextManager[Advance]:
    """Show how far a comparison is; a plan that is built for a GPU has bars of its own."""
    from arthur.encode.journal import unseen

    return progress_bar(f"comparing {precision}") if place is None else nullcontext(unseen)


def verify_command(
    engine: Name,
    precision: Annotated[
        Literal["fp32", "fp16", "bf16", "int8", "fp8"] | None,
        typer.Option(help="Compare this one with fp32 on pictures instead."),
    ] = None,
    pictures: Pictures = None,
    data: Data = None,
    threads: Threads = 0,
    runtime: Runtime = None,
    device: Device = "cuda",
    batch_max: BatchMax = 64,
    *,
    as_json: Json = False,
) -> None:
    """Run an engine on its golden pictures, or compare one precision with fp32; exit status 1 when vectors differ."""
    into = pulled_folder(data)
    if precision is None:
        passed = _golden(engine, into, threads, as_json=as_json)
    else:
        from arthur.encode.building import compare_graphs

        folder = found_folder(engine, into)
        shown = squares(pictures, folder)
        with placed(folder, runtime, device, batch_max=batch_max) as place:
            found = compare_graphs(folder, precision, pictures=shown, threads=threads, place=place)
        answer(_row(found), f"{'passed' if found.passed else 'FAILED'}: {_line(found)}", json=as_json)
        passed = found.passed
    if not passed:
        raise typer.Exit(1)


def bench_command(
    engine: Name,
    batch: Annotated[list[int] | None, typer.Option(min=1, help="Pictures in a run.", show_default="1 and 8")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each graph, in turn.")] = 10,
    data: Data = None,
    threads: Threads = 0,
    *,
    as_json: Json = False,
) -> None:
    """Measure every precision that this machine can run, in turn, beside fp32 in ONNX Runtime."""
    from arthur.encode.building import bench

    folder = found_folder(engine, pulled_folder(data))
    for one in bench(folder, batch or [1, 8], rounds=rounds, threads=threads):
        line = (
            f"{one.precision}  batch {one.batch:3}  CPU {one.cpu_ms:8.1f} ms  wall {one.wall_ms:8.1f} ms  "
            f"{one.ratio:.2f} of fp32"
        )
        answer(dataclasses.asdict(one), line, json=as_json)


def passport_command(engine: Name, data: Data = None) -> None:
    """Load an engine, and print what it is and how it runs here, as JSON."""
    from arthur.encode.onnx import OnnxEncoder

    folder = found_folder(engine, pulled_folder(data))
    facts, spec = folder.facts, OnnxEncoder(folder).spec
    emit(
        {
            "name": facts.name,
            "fingerprint": spec.fingerprint,
            "licence": facts.licence,
            "source": facts.source.model_dump() if facts.source else None,
            "graph_sha256": facts.image.sha256,
            "passport": facts.passport.model_dump() if facts.passport else None,
            "running": None
            if spec.passport is None
            else {"id": spec.passport.id, **json.loads(spec.passport.document)},
            "tuning": facts.tuning.model_dump() if facts.tuning else None,
        }
    )


def _golden(engine: str, into: Path, threads: int, *, as_json: bool) -> bool:
    """Print how near every graph of an engine comes to its golden vectors, and return whether all are near enough."""
    from arthur.encode.store import verify

    results = verify(engine, folders=(into,), threads=threads)
    rows: list[dict[str, JsonValue]] = [{**dataclasses.asdict(result), "passed": result.passed} for result in results]
    print_rows(rows, as_json=as_json, line="{variant:5} {state:7} 1 - cosine {distance:.2e}  tolerance {tolerance:g}")
    return all(result.passed for result in results)


def found_folder(engine: str, into: Path) -> EngineFolder:
    """Find an engine, pulled or packaged."""
    from arthur.encode.folder import find_folder

    return find_folder(engine, folders=(into,))


def squares(pictures: Path | None, folder: EngineFolder) -> Pixels | None:
    """Read the pictures of a folder as the engine's squares; files that are none are passed over."""
    if pictures is None:
        return None
    import numpy as np

    from arthur.decode import ImageDecoder

    decode, found = ImageDecoder(), []
    for path in sorted(path for path in pictures.rglob("*") if path.is_file()):
        try:
            found.append(decode(path.read_bytes(), folder.facts.side, fit=folder.facts.fit).pixels)
        except InvalidImage:
            continue
        if len(found) == _MOST_PICTURES:
            break
    if len(found) < 2:
        raise ConfigError(f"{pictures} holds fewer than two pictures to compare on")
    return np.stack(found)


def _row(found: Compared) -> dict[str, object]:
    return {**dataclasses.asdict(found), "passed": found.passed}


def _line(found: Compared) -> str:
    return (
        f"{found.precision} has cosine {found.cosine:.5f} to fp32, and the same nearest picture for "
        f"{found.same_nearest:.1%} of {found.pictures}"
    )
