"""`arthur engines`: list, pull, export and verify engines (`building.py` has the rest).

What builds and runs graphs is imported by the command that needs it, so that other commands start without it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.errors import ConfigError, EngineError, NotFound

if TYPE_CHECKING:
    from arthur.encode.folder import EngineFolder
    from arthur.types import JsonValue

app = typer.Typer(help="List, pull, export and verify engines.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option("--data", help="Folder under which everything is kept.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Licence = Annotated[str, typer.Option(help="Licence of the weights, where no engine.toml tells it.")]


@app.command("list")
def list_command(data: Data = None, *, as_json: Json = False) -> None:
    """List the engines that are packaged with Arthur or were pulled."""
    from arthur.encode.store import list_engines

    rows: list[dict[str, JsonValue]] = [
        {**dataclasses.asdict(listed), "path": str(listed.path)} for listed in list_engines((pulled_folder(data),))
    ]
    print_rows(rows, as_json=as_json, line="{name:24} {state:11} side {side:4}  dim {dim:5}  {licence:12} {source}")


@app.command("pull")
def pull_command(
    engine: Annotated[str, typer.Argument(help="A packaged engine, a folder of weights, or a hub's owner/name.")],
    data: Data = None,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Use only what was downloaded before.")] = False,
    mirror: Annotated[
        str | None, typer.Option(envvar="HF_ENDPOINT", help="Address of a mirror of the Hugging Face hub.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Download an engine's weights, build its graphs and keep them under the data folder."""
    from arthur.encode.export.hub import hub_download
    from arthur.encode.store import pull

    with _misuse():
        pulled = pull(engine, into=pulled_folder(data), download=hub_download(offline=offline, mirror=mirror))
    _print_built(pulled, as_json=as_json)


@app.command("export")
def export_command(
    weights: Annotated[Path, typer.Argument(help="Folder with model.safetensors and config.json or engine.toml.")],
    into: Annotated[Path, typer.Option("--into", help="The engine's folder; replaced if it is there.")],
    name: Annotated[str | None, typer.Option(help="The engine's name, where no engine.toml tells it.")] = None,
    licence: Licence = "unknown",
    *,
    as_json: Json = False,
) -> None:
    """Build an engine's folder from weights on this machine."""
    from arthur.encode.export.engine import export_engine
    from arthur.encode.export.materials import local_materials

    with _misuse():
        built = export_engine(local_materials(weights, name=name, licence=licence), into=into)
    _print_built(built, as_json=as_json)


@contextmanager
def _misuse() -> Iterator[None]:
    """Turn weights that do not exist or are not those of the engine into wrong usage, which has its exit status."""
    try:
        yield
    except (EngineError, NotFound) as error:
        raise ConfigError(str(error)) from error


def pulled_folder(data: Path | None) -> Path:
    """Return the folder of the pulled engines."""
    from arthur.config import load_settings

    return load_settings(data=data).data / "engines"


def _print_built(folder: EngineFolder, *, as_json: bool) -> None:
    """Tell what was built and where."""
    spec = folder.spec()
    int8 = folder.facts.image.int8 is not None
    row: dict[str, JsonValue] = {
        "name": spec.name,
        "label": spec.label,
        "fingerprint": spec.fingerprint,
        "int8": int8,
        "path": str(folder.path),
    }
    print_rows(
        [row], as_json=as_json, line="{label} in {path}" + ("" if int8 else " (int8 differs too much: left out)")
    )


def print_rows(rows: Sequence[Mapping[str, JsonValue]], *, as_json: bool, line: str) -> None:
    """Print rows as JSON or as one line each."""
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        good, bad = ("ready", "needs pull") if "ready" in row else ("passed", "FAILED")
        state = good if row.get("ready", row.get("passed")) else bad
        typer.echo(line.format(**row, state=state).rstrip())
