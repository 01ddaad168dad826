"""What a training step sees: views of a batch of works, drawn beside the step before."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from engines.arthur_mini.augment import photograph, scan, vary
from engines.arthur_mini.pool import Pool
from engines.arthur_mini.state import Plan


class Views:
    """The views of every step, each a function of the plan's seed and the step alone.

    Random numbers come from torch's default generators, so only one thread may draw at a time.
    """

    def __init__(self, pool: Pool, plan: Plan, device: torch.device) -> None:
        self._pool, self._plan, self._device = pool, plan, device
        # On a GPU the pool moves there whole: fetching every batch would take longer than the step.
        self._resident = torch.from_numpy(pool.works[:].copy()).to(device) if device.type == "cuda" else None

    def __call__(self, step: int) -> Tensor:
        """Return the scans of a step's works, then their photos: float32 (2 * batch, 3, side, side), channels last."""
        plan = self._plan
        random = np.random.default_rng((plan.seed, step))
        # Shuffled, for views borrow walls and reflections from their neighbours in the batch.
        chosen = random.permutation(self._pool.sample(random, plan.batch, picture_share=plan.picture_share))
        torch.manual_seed(int(random.integers(2**62)))
        side = plan.warm_side if step < plan.warm_share * plan.steps else plan.side
        with torch.no_grad():
            works, aspects = vary(*self._works(chosen))
            severity = torch.rand(len(works), device=works.device) * min(1.0, 0.3 + 7 * step / plan.steps)
            views = torch.cat([scan(works, side), photograph(works, aspects, severity, side)])
        return views.contiguous(memory_format=torch.channels_last)

    def _works(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return works (n, 3, side, side) in 0..1 and aspects (n,)."""
        if self._resident is None:
            works = torch.from_numpy(self._pool.works[chosen])
        else:
            works = self._resident[torch.from_numpy(chosen)]
        aspects = torch.from_numpy(self._pool.aspects[chosen]).to(self._device)
        return works.permute(0, 3, 1, 2).float() / 255, aspects


def drawn_ahead(views: Views, steps: range, thread: ThreadPoolExecutor) -> Iterator[Tensor]:
    """Yield the views of the steps in turn; while one is used, `thread` (of one worker) draws the next."""
    coming = [thread.submit(views, step) for step in steps[:1]]
    for after in steps[1:]:
        present = coming.pop().result()
        coming.append(thread.submit(views, after))
        yield present
    yield from (last.result() for last in coming)
