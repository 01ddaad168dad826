"""Train arthur-mini: a scan and a photo of the same work must be each other's nearest.

``python -m engines.arthur_mini.train POOL RUN --steps 2600`` writes ``RUN/checkpoint.pt`` and
``RUN/curve.csv``; with ``--resume`` it goes on from there. The same options, seed, pool, device
and library versions give the same weights, except for the rounding of parallel sums.
"""

import argparse
import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.arthur_mini.augment import photograph, scan, vary
from engines.arthur_mini.heldout import HeldOut
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

    steps: int = 2800
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
        random: Choice of batches.
        step: Updates done.
        curve: Rows of the learning curve.
    """

    model: Encoder
    average: Encoder
    optimizer: torch.optim.Optimizer
    random: np.random.Generator
    step: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)


def fresh(plan: Plan, architecture: Architecture, device: torch.device) -> State:
    """Return the state before the first step."""
    torch.manual_seed(plan.seed)
    model, average = (Encoder(architecture).to(device, memory_format=torch.channels_last) for _ in range(2))
    average.load_state_dict(model.state_dict())
    average.eval().requires_grad_(requires_grad=False)
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    others = [weight for weight in model.parameters() if weight.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": plan.decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=plan.rate)
    return State(model, average, optimizer, np.random.default_rng(plan.seed))


def save(state: State, plan: Plan, pool: Pool, path: Path) -> None:
    """Write a checkpoint, replacing the old one only when it is whole."""
    checkpoint = {
        "architecture": state.model.architecture.as_dict(),
        "plan": asdict(plan),
        "pool": asdict(pool.contents),
        "model": state.model.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "random": state.random.bit_generator.state,
        "torch_random": torch.get_rng_state(),
        "step": state.step,
        "curve": state.curve,
    }
    partial = path.with_suffix(".partial")
    torch.save(checkpoint, partial)
    partial.replace(path)
    with path.with_name("curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(state.curve[-1]))
        writer.writeheader()
        writer.writerows(state.curve)


def restore(path: Path, plan: Plan, device: torch.device) -> State:
    """Return the state a checkpoint holds."""
    # The checkpoint is our own file; the random states in it are more than plain weights.
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    state = fresh(plan, Architecture(**checkpoint["architecture"]), device)
    state.model.load_state_dict(checkpoint["model"])
    state.average.load_state_dict(checkpoint["average"])
    state.optimizer.load_state_dict(checkpoint["optimizer"])
    state.random.bit_generator.state = checkpoint["random"]
    torch.set_rng_state(checkpoint["torch_random"])
    state.step, state.curve = checkpoint["step"], checkpoint["curve"]
    return state


def losses(scans: Tensor, photos: Tensor, plan: Plan) -> tuple[Tensor, Tensor, Tensor]:
    """Compare the vectors of scans and photos, float32 (n, dim) each, row by row a pair.

    Returns:
        The contrastive loss (NT-Xent), the spread loss (KoLeo), and the share of photos whose own
        scan is the nearest of the batch.
    """
    count = len(scans)
    vectors = torch.cat([scans, photos])
    cosines = vectors @ vectors.T
    partner = torch.arange(2 * count, device=scans.device).roll(count)
    itself = torch.eye(2 * count, dtype=torch.bool, device=scans.device)
    contrast = functional.cross_entropy((cosines / plan.temperature).masked_fill(itself, -1e4), partner)
    with torch.no_grad():
        strangers = cosines.masked_fill(itself, -2).scatter(1, partner[:, None], -2)
        nearest = strangers.argmax(1)
        hits = cosines[count:, :count].argmax(1) == partner[count:]
    gaps = (vectors - vectors[nearest]).norm(dim=1)
    return contrast, -torch.log(gaps + 1e-6).mean(), hits.float().mean()


def update(state: State, works: Tensor, aspects: Tensor, plan: Plan) -> dict[str, float]:
    """Do one step on a batch of works and return its losses by name."""
    side = plan.warm_side if state.step < plan.warm_share * plan.steps else plan.side
    with torch.no_grad():
        works, aspects = vary(works, aspects)
        severity = torch.rand(len(works), device=works.device)
        severity *= min(1.0, 0.3 + 7 * state.step / plan.steps)
        views = torch.cat([scan(works, side), photograph(works, aspects, severity, side)])
    state.optimizer.param_groups[0]["lr"] = state.optimizer.param_groups[1]["lr"] = _rate(state.step, plan)
    with torch.autocast(views.device.type, torch.bfloat16):
        vectors = state.model(views.contiguous(memory_format=torch.channels_last))
    scans, photos = vectors.float().chunk(2)
    contrast, spread, hits = losses(scans, photos, plan)
    state.optimizer.zero_grad()
    (contrast + plan.spread * spread).backward()  # type: ignore[no-untyped-call]  # torch's own
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
    state.optimizer.step()
    state.step += 1
    _follow(state)
    return {"contrast": contrast.item(), "spread": spread.item(), "batch_hits": hits.item()}


def batches(pool: Pool, state: State, plan: Plan, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield works (n, 3, side, side) in 0..1 and aspects (n,), until the run's last step."""
    while state.step < plan.steps:
        chosen = pool.sample(state.random, plan.batch, picture_share=plan.picture_share)
        # Shuffled, for views borrow walls and reflections from their neighbours in the batch.
        chosen = state.random.permutation(chosen)
        works = torch.from_numpy(pool.works[chosen]).to(device)
        aspects = torch.from_numpy(pool.aspects[chosen]).to(device)
        yield works.permute(0, 3, 1, 2).float() / 255, aspects


def train(state: State, pool: Pool, plan: Plan, *, run: Path, device: torch.device) -> None:
    """Train to the last step, with a checkpoint and a line of the curve every few steps."""
    heldout = HeldOut.draw(device)
    sums: dict[str, float] = {}
    started = time.perf_counter()
    for works, aspects in batches(pool, state, plan, device):
        for name, value in update(state, works, aspects, plan).items():
            sums[name] = sums.get(name, 0.0) + value
        if state.step % plan.report and state.step < plan.steps:
            continue
        done = state.step % plan.report or plan.report
        row = {"step": state.step, "pairs": state.step * plan.batch}
        row |= {name: round(value / done, 4) for name, value in sums.items()}
        row |= heldout.accuracy(state.average, plan.side)
        row["seconds"] = round(time.perf_counter() - started, 1)
        state.curve.append(row)
        save(state, plan, pool, run / "checkpoint.pt")
        sums, started = {}, time.perf_counter()


def _rate(step: int, plan: Plan) -> float:
    warm = min(1.0, (step + 1) / (0.03 * plan.steps))
    return plan.rate * warm * 0.5 * (1 + math.cos(math.pi * step / plan.steps))


@torch.no_grad()
def _follow(state: State) -> None:
    """Move the average towards the model; quickly at first, when the average knows nothing."""
    keep = min(0.998, state.step / (state.step + 10))
    average, model = state.average.state_dict(), state.model.state_dict()
    for name, value in average.items():
        if value.is_floating_point():
            value.lerp_(model[name], 1 - keep)
        else:
            value.copy_(model[name])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train arthur-mini.")
    parser.add_argument("pool", type=Path, help="folder made by engines.arthur_mini.pool")
    parser.add_argument("run", type=Path, help="folder of the checkpoint and the curve")
    parser.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch on the CPU")
    for item in (*fields(Architecture), *fields(Plan)):
        kind: Callable[[str], float] = type(item.default) if item.default.__class__ is not tuple else int
        several = {"nargs": "+"} if isinstance(item.default, tuple) else {}
        flag = "--" + item.name.replace("_", "-")
        parser.add_argument(flag, type=kind, default=item.default, **several)
    return parser.parse_args()


def main() -> None:
    """Train as the command line says."""
    options = _options()
    torch.set_num_threads(options.threads)
    plan = Plan(**{item.name: getattr(options, item.name) for item in fields(Plan)})
    device = torch.device(options.device)
    options.run.mkdir(parents=True, exist_ok=True)
    if options.resume:
        state = restore(options.run / "checkpoint.pt", plan, device)
    else:
        sizes = {item.name: getattr(options, item.name) for item in fields(Architecture)}
        sizes |= {name: tuple(sizes[name]) for name in ("widths", "blocks")}
        state = fresh(plan, Architecture(**sizes), device)
    train(state, Pool.open(options.pool), plan, run=options.run, device=device)


if __name__ == "__main__":
    main()
