"""What an engine is: the facts of its `engine.toml`, and what the rest of Arthur knows of it once it is loaded."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from arthur.errors import ConfigError, EngineError
from arthur.types import Fit, Pixels
from arthur.types import Passport as RunningPassport

Variant: TypeAlias = Literal["fp32", "fp16", "bf16", "int8", "fp8"]
"""Precision of the graph that runs: the full one, or one of lower precision that passed a check against it."""
Activation: TypeAlias = Literal["quick_gelu", "gelu", "gelu_tanh"]

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=128)]
Repository = Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=1, le=1024)]
Deviation = Annotated[float, Field(gt=0)]
Tolerance = Annotated[float, Field(gt=0, le=0.1)]


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """An engine's identity and the form of its input and output.

    Attributes:
        name: as in `engine.toml`.
        side: edge of the input square, pixels.
        fit: how a picture becomes that square.
        dim: length of a vector.
        fingerprint: hex BLAKE3 over weights, graph and preprocessing; vectors of different fingerprints never meet.
        variant: the graph that runs. Variants of one engine share a fingerprint: the golden check holds them together.
        passport: what the engine runs in on this machine; None where it was not loaded.
        canary: bytes of the float32 vector that the fixed picture gave at load; empty where none was taken.
    """

    name: str
    side: int
    fit: Fit
    dim: int
    fingerprint: str
    variant: Variant = "fp32"
    passport: RunningPassport | None = field(default=None, compare=False)
    canary: bytes = field(default=b"", repr=False, compare=False)

    @property
    def label(self) -> str:
        """`name@` and the first twelve digits of the fingerprint, as answers show it."""
        return f"{self.name}@{self.fingerprint[:12]}"

    @property
    def passport_id(self) -> str:
        """The passport's id, as answers show it; "" without one."""
        return "" if self.passport is None else self.passport.id


def check_pixels(spec: EngineSpec, pixels: Pixels) -> None:
    """Refuse what is not `(n, side, side, 3)` uint8 with n >= 1.

    Raises:
        EngineError: shape or dtype differ.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (spec.side, spec.side, 3) or not len(pixels):
        want = f"uint8 (n, {spec.side}, {spec.side}, 3)"
        raise EngineError(f"engine {spec.name} takes {want}, not {pixels.dtype} {pixels.shape}")


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class BinaryFile(_Facts):
    """One file beside the `engine.toml`. A hash that is absent is not checked: the file is the user's own."""

    file: FileName
    sha256: Sha256 | None = None


class GoldenFile(_Facts):
    """Pictures or sentences with the vectors they must give: `pixels` or `texts`, and `vectors`, in one npz.

    Attributes:
        tolerance: largest accepted 1 - cosine.
    """

    file: FileName
    tolerance: Tolerance = 1e-3


class GraphFile(BinaryFile):
    """An ONNX file.

    Attributes:
        weights: the file with its weights, where they are too large to be inside.
    """

    weights: BinaryFile | None = None


class ImageGraph(GraphFile):
    """The image tower: `pixels` uint8 (n, side, side, 3) to `vectors` float32 (n, dim) unit rows."""

    int8: GraphFile | None = None


class TextGraph(GraphFile):
    """The text tower: `tokens` int64 (n, context) to `vectors` float32 (n, dim) unit rows.

    Attributes:
        context: tokens in a row.
        tokenizer: file of the tokenizer, as Hugging Face names it, or None.
        end_token: id that ends a sentence, and at whose first place a CLIP holds it; None takes the place of the
            highest id. A SigLIP holds it at the last place, whatever stands there.
        pad: id that fills a row after the sentence.
        lowercase: whether the tower was trained on lower case while its tokenizer keeps capitals.
        golden: sentences with their vectors, checked when the tower is loaded.
    """

    context: Annotated[int, Field(ge=2, le=8192)] = 77
    tokenizer: FileName | None = None
    end_token: int | None = None
    pad: Annotated[int, Field(ge=0)] = 0
    lowercase: bool = False
    golden: GoldenFile | None = None


class Source(_Facts):
    """Where the weights come from: a repository of the Hugging Face hub.

    Attributes:
        sha256: of the weights; absent until the first pull, which records it and refuses other weights from then on.
        tokenizer: repository of the tokenizer, where the weights' own has none.
    """

    repository: Repository
    file: FileName = "model.safetensors"
    revision: str = "main"
    sha256: Sha256 | None = None
    tokenizer: Repository | None = None


class VitFacts(_Facts):
    """What the weights of a vision transformer do not tell by their shapes.

    Attributes:
        text_heads: heads of the text tower; absent where there is none.
        theta: base of the angles of a DINOv3, which has no learned positions.
    """

    patch: Count
    heads: Count
    text_heads: Count | None = None
    activation: Activation
    epsilon: Deviation = 1e-5
    theta: Deviation | None = None


class TimmFacts(_Facts):
    """A model of `timm` whose graph `torch` writes.

    Attributes:
        model: its name there.
        arguments: what it is made with besides.
    """

    model: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,128}$")]
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class Passport(_Facts):
    """What `arthur engines build` chose and measured on this machine.

    Attributes:
        precision: of the graph that is to run; where it cannot, the full one does.
        runtime: name and version of what runs it.
        cpu: model of the CPU on which it was measured.
        gpu, driver, cuda: of the GPU on which it was measured, where it was one.
        pictures: how many were compared with the full graph.
        cosine: the smallest one to the full graph's vector of the same picture.
    """

    precision: Variant
    runtime: str
    cpu: str
    gpu: str | None = None
    driver: str | None = None
    cuda: str | None = None
    pictures: Annotated[int, Field(ge=1)]
    cosine: Annotated[float, Field(ge=-1, le=1.000001)]


class Tuning(_Facts):
    """How `arthur engines tune` found that an engine runs best on one machine.

    Attributes:
        threads, batch_max, batch_wait_ms: as the settings `engine_threads`, `batch_max` and `batch_wait_ms`.
        streams: batches that run at a time.
        goal_ms: the 95th percentile of latency that was asked for.
        per_s: pictures a second that came at random, of which 95 % waited `p95_ms` at most.
        where: `cpu`, or runtime and GPU; with `cpu` and `cores` the machine, without which this says nothing.
    """

    threads: Annotated[int, Field(ge=1, le=1024)]
    batch_max: Count
    batch_wait_ms: Annotated[float, Field(ge=0, le=1000)]
    streams: Annotated[int, Field(ge=1, le=64)] = 1
    goal_ms: Deviation
    per_s: Deviation
    p95_ms: Deviation
    where: str = "cpu"
    cpu: str
    cores: Count


class EngineFile(_Facts):
    """A validated `engine.toml`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    architecture: str
    licence: str
    side: int = Field(ge=16, le=2048)
    fit: Fit
    dim: int = Field(ge=1, le=8192)
    mean: tuple[float, float, float]
    std: tuple[Deviation, Deviation, Deviation]
    image: ImageGraph
    text: TextGraph | None = None
    golden: GoldenFile | None = None
    source: Source | None = None
    vit: VitFacts | None = None
    timm: TimmFacts | None = None
    passport: Passport | None = None
    tuning: Tuning | None = None

    @property
    def folder_name(self) -> str:
        """The folder in which an engine of this name lies."""
        return folder_name(self.name)

    @property
    def preprocessing(self) -> str:
        """The facts that change a vector though the graph stays the same, as canonical JSON."""
        facts = {"dim": self.dim, "fit": self.fit, "mean": self.mean, "side": self.side, "std": self.std}
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def folder_name(name: str) -> str:
    """Turn an engine's name into the name of its folder: `arthur-mini` lies in `arthur_mini`."""
    return name.replace("-", "_").replace(".", "_")


def read_engine_file(path: Path) -> EngineFile:
    """Read and check an `engine.toml`.

    Raises:
        ConfigError: it cannot be read, or a key is missing, unknown or of the wrong form; names file and key.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    try:
        return EngineFile.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: key {key!r}: {first['msg']}") from error


def engine_file_text(facts: EngineFile) -> str:
    """Write `facts` as TOML that `read_engine_file` reads back to an equal value."""
    lines: list[str] = []
    _write_table(lines, "", facts.model_dump(mode="json", exclude_none=True))
    return "\n".join(lines).lstrip("\n") + "\n"


def _write_table(lines: list[str], name: str, table: dict[str, object]) -> None:
    """Append one table: its scalars and arrays first, then the tables in it; JSON scalars are TOML scalars."""
    if name:
        lines.extend(["", f"[{name}]"])
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines.extend(f"{key} = {json.dumps(value)}" for key, value in table.items() if key not in tables)
    for key, value in tables.items():
        _write_table(lines, f"{name}.{key}" if name else key, value)
