"""Train arthur-mini: a scan and a photo of the same work must be each other's nearest.

``python -m engines.arthur_mini.train --steps 1500`` draws the pool where there is none yet, and
writes ``checkpoint.pt`` and ``curve.csv`` into the run's folder; ``--resume`` goes on from there.
The same options, seed, pool, device and library versions give the same weights, but for the
rounding of parallel sums.
"""

import argparse
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from engines.arthur_mini.heldout import HeldOut
from engines.arthur_mini.model import Architecture
from engines.arthur_mini.pool import SEED, Pool, draw
from engines.arthur_mini.start import start_from
from engines.arthur_mini.state import Plan, State, fresh, restore, save
from engines.arthur_mini.views import Views, drawn_ahead

_CACHE = Path(".cache/arthur-mini")


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


def update(state: State, views: Tensor, plan: Plan) -> dict[str, float]:
    """Do one step on the views of a batch, scans before photos, and return its losses by name."""
    state.optimizer.param_groups[0]["lr"] = state.optimizer.param_groups[1]["lr"] = _rate(state.step, plan)
    with torch.autocast(views.device.type, torch.bfloat16):
        vectors = state.model(views)
    scans, photos = vectors.float().chunk(2)
    contrast, spread, hits = losses(scans, photos, plan)
    state.optimizer.zero_grad()
    (contrast + plan.spread * spread).backward()  # type: ignore[no-untyped-call]  # torch's own
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
    state.optimizer.step()
    state.step += 1
    _follow(state)
    return {"contrast": contrast.item(), "spread": spread.item(), "batch_hits": hits.item()}


def train(state: State, pool: Pool, plan: Plan, *, run: Path, device: torch.device) -> None:
    """Train to the last step, with a checkpoint and a line of the curve every few steps."""
    heldout = HeldOut.draw(device)
    sums: dict[str, float] = {}
    started = time.perf_counter()
    with ThreadPoolExecutor(1) as thread:
        for views in drawn_ahead(Views(pool, plan, device), range(state.step, plan.steps), thread):
            for name, value in update(state, views, plan).items():
                sums[name] = sums.get(name, 0.0) + value
            if state.step % plan.report and state.step < plan.steps:
                continue
            done = state.step % plan.report or plan.report
            row: dict[str, float] = {"step": state.step, "pairs": state.step * plan.batch}
            row |= {name: round(value / done, 4) for name, value in sums.items()}
            # By the thread that draws, for both take torch's random numbers.
            row |= thread.submit(heldout.accuracy, state.average, plan.side).result()
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
    parser.add_argument("--pool", type=Path, default=_CACHE / "pool", help="folder of the training pool")
    parser.add_argument("--works", type=int, default=12_000, help="procedural works in a new pool")
    parser.add_argument("--pictures", type=Path, help="folder of more pictures for a new pool")
    parser.add_argument("--pool-side", type=int, default=192, help="side of the works in a new pool")
    parser.add_argument("--pool-seed", type=int, default=SEED, help="seed of the procedural works in a new pool")
    parser.add_argument("--run", type=Path, default=_CACHE / "run", help="folder of the checkpoint")
    parser.add_argument("--start", type=Path, help="exported float32 graph to begin from")
    parser.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch on the CPU")
    for item in (*fields(Architecture), *fields(Plan)):
        flag = "--" + item.name.replace("_", "-")
        if isinstance(item.default, tuple):
            parser.add_argument(flag, type=int, nargs="+", default=item.default)
        else:
            parser.add_argument(flag, type=type(item.default), default=item.default)
    return parser.parse_args()


def main() -> None:
    """Train as the command line says."""
    options = _options()
    torch.set_num_threads(options.threads)
    plan = Plan(**{item.name: getattr(options, item.name) for item in fields(Plan)})
    device = torch.device(options.device)
    if not (options.pool / "pool.json").exists():
        draw(
            options.pool,
            works=options.works,
            side=options.pool_side,
            pictures=options.pictures,
            seed=options.pool_seed,
            processes=options.threads,
        )
    options.run.mkdir(parents=True, exist_ok=True)
    if options.resume:
        state = restore(options.run / "checkpoint.pt", plan, device)
    else:
        sizes = {item.name: getattr(options, item.name) for item in fields(Architecture)}
        sizes |= {name: tuple(sizes[name]) for name in ("widths", "blocks")}
        state = fresh(plan, Architecture(**sizes), device)
        if options.start:
            start_from(options.start, state.model, HeldOut.draw(device).works)
            state.average.load_state_dict(state.model.state_dict())
    train(state, Pool.open(options.pool), plan, run=options.run, device=device)


if __name__ == "__main__":
    main()
