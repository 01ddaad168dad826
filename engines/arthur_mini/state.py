"""What a training run is set to do, what changes while it runs, and its checkpoints."""

import csv
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from engines.arthur_mini.model import Architecture, Encoder
from engines.arthur_mini.pool import Pool


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run trains.

    Attributes:
        steps: Updates in all; the learning rate falls to zero at the last one.
        batch: Works in a step, a multiple of 8; each gives a scan and a photo.
        side: Side of the pictures in pixels.
        warm_side: Side in the first part of the run, where small pictures teach as much for less.
        warm_share: That part, as a share of the steps.
        rate: Highest learning rate.
        decay: Weight decay of the convolutions and the head.
        temperature: Divides the cosines in the contrastive loss.
        spread: Weight of the term that keeps vectors apart (KoLeo).
        picture_share: Share of a batch taken from the picture files in the pool.
        seed: Seed of the weights, the batches and the views.
        report: Steps between two lines of the learning curve and two checkpoints.
    """

    steps: int = 1500
    batch: int = 96
    side: int = 128
    warm_side: int = 96
    warm_share: float = 0.6
    rate: float = 2.5e-3
    decay: float = 0.02
    temperature: float = 0.06
    spread: float = 0.2
    picture_share: float = 0.25
    seed: int = 0
    report: int = 100


@dataclass
class State:
    """Everything that changes during a run.

    Attributes:
        model: The network being trained.
        average: Moving average of the network: what is exported.
        optimizer: Its optimizer.
        step: Updates done.
        curve: Rows of the learning curve.
    """

    model: Encoder
    average: Encoder
    optimizer: torch.optim.Optimizer
    step: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)


def fresh(plan: Plan, architecture: Architecture, device: torch.device) -> State:
    """Return the state before the first step."""
    torch.manual_seed(plan.seed)
    model, average = (Encoder(architecture).to(device).to(memory_format=torch.channels_last) for _ in range(2))
    average.load_state_dict(model.state_dict())
    average.eval().requires_grad_(requires_grad=False)
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    others = [weight for weight in model.parameters() if weight.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": plan.decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=plan.rate)
    return State(model, average, optimizer)


def save(state: State, plan: Plan, pool: Pool, path: Path) -> None:
    """Write a checkpoint, replacing the old one only when it is whole, and the curve beside it."""
    checkpoint = {
        "architecture": state.model.architecture.as_dict(),
        "plan": asdict(plan),
        "pool": asdict(pool.contents),
        "model": state.model.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "step": state.step,
        "curve": state.curve,
    }
    partial = path.with_suffix(".partial")
    torch.save(checkpoint, partial)
    partial.replace(path)
    write_curve(state.curve, path.with_name("curve.csv"))


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint; it must be our own, for reading one can run what is in it."""
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return checkpoint


def restore(path: Path, plan: Plan, device: torch.device) -> State:
    """Return the state a checkpoint holds; ``plan`` may differ from the checkpoint's."""
    checkpoint = load(path)
    state = fresh(plan, Architecture(**checkpoint["architecture"]), device)
    state.model.load_state_dict(checkpoint["model"])
    state.average.load_state_dict(checkpoint["average"])
    state.optimizer.load_state_dict(checkpoint["optimizer"])
    state.step, state.curve = checkpoint["step"], checkpoint["curve"]
    return state


def write_curve(curve: list[dict[str, float]], path: Path) -> None:
    """Write a learning curve as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(curve[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(curve)
