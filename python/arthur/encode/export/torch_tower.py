"""Writes the image tower of a model of `timm` as an ONNX graph with `torch.onnx`. Needs `torch` and `timm`.

The graph is that of every engine: colours, layout and length are in it. Its bytes depend on the version of `torch`, and
with them the fingerprint, so an engine goes to other machines by copying its folder.
"""

from __future__ import annotations

import io
import warnings

import onnx
import timm
import torch
from safetensors.torch import load_file
from timm.utils import reparameterize_model

from arthur.encode.export.graph import OPSET
from arthur.encode.export.weights import Weights
from arthur.encode.session import first_line
from arthur.encode.spec import EngineFile, TimmFacts
from arthur.errors import ConfigError, EngineError

_INSIDE = "visual.trunk."
"""Where OpenCLIP keeps the weights of an image tower of `timm`."""
_ROWS = 2
"""Pictures that are shown to the model while its graph is written; any number may come later."""


class _Tower(torch.nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """From `(n, side, side, 3)` uint8 pixels to unit rows."""

    def __init__(self, trunk: torch.nn.Module, facts: EngineFile) -> None:
        super().__init__()
        self._trunk = trunk
        mean, std = (torch.tensor(colour, dtype=torch.float64) * 255 for colour in (facts.mean, facts.std))
        self.register_buffer("_mean", mean.float())
        self.register_buffer("_factor", (1 / std).float())

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        values = (pixels.to(torch.float32) - self._mean) * self._factor
        vectors = self._trunk(values.permute(0, 3, 1, 2))
        return vectors / vectors.norm(dim=-1, keepdim=True)


def vector_width(facts: TimmFacts) -> int:
    """Return the length of the vectors of a model. See `torch_built.timm_width`."""
    with torch.device("meta"):
        return int(_made(facts, classes=0).head_hidden_size)


def image_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the image tower. See `torch_built.timm_graph`."""
    if facts.timm is None:
        raise ConfigError(f"engine {facts.name}: engine.toml has no [timm] table, so its graph cannot be built")
    state = load_file(weights.path)
    inside = {name.removeprefix(_INSIDE): tensor for name, tensor in state.items() if name.startswith(_INSIDE)}
    # a tower of OpenCLIP ends with its projection, where a classifier would be; others end before that
    trunk = _loaded(facts.timm, inside or state, classes=facts.dim if inside else 0, name=facts.name)
    return _exported(_Tower(trunk, facts).eval(), facts)


def _made(facts: TimmFacts, *, classes: int, **given: object) -> torch.nn.Module:
    """Let `timm` make a model whose operators can all be exported."""
    try:
        return timm.create_model(facts.model, num_classes=classes, exportable=True, **facts.arguments, **given)
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        raise ConfigError(f"timm cannot make {facts.model}: {first_line(error)}") from error


def _loaded(facts: TimmFacts, state: dict[str, torch.Tensor], *, classes: int, name: str) -> torch.nn.Module:
    """Return the model with its weights, branches of training folded into one in float64."""
    made = _made(facts, classes=classes)
    classifier = made.pretrained_cfg.get("classifier") or ()
    unwanted = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    kept = {key: tensor for key, tensor in state.items() if classes or not key.startswith(unwanted)}
    try:
        made.load_state_dict(kept)
    except RuntimeError as error:
        why = " ".join(str(error).split("\n")[1:2]).strip() or first_line(error)
        raise EngineError(f"engine {name}: the weights are not those of {facts.model}: {why}") from error
    return reparameterize_model(made.eval().double()).float()


def _exported(tower: torch.nn.Module, facts: EngineFile) -> onnx.ModelProto:
    """Trace the tower, any number of rows at a time."""
    pixels = torch.zeros((_ROWS, facts.side, facts.side, 3), dtype=torch.uint8)
    rows = {0: "n"}
    stream = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # that shapes become constants is wanted: every picture has one side
            torch.onnx.export(
                tower,
                (pixels,),
                stream,
                input_names=["pixels"],
                output_names=["vectors"],
                dynamic_axes={"pixels": rows, "vectors": rows},
                opset_version=OPSET,
                dynamo=False,
            )
    except Exception as error:  # whatever a model of `timm` does that cannot be traced
        raise EngineError(f"engine {facts.name}: torch cannot export it: {first_line(error)}") from error
    return onnx.load_model_from_string(stream.getvalue())
