"""Retrieval among held-out procedural works: the accuracy that a learning curve shows."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bench.artphoto.paintings import painting, work
from engines.arthur_mini.augment import photograph, scan
from engines.arthur_mini.model import Encoder
from engines.arthur_mini.pool import squash

_SEED = 2
"""Catalogue of the held-out works, which the training pool never shows."""

_WORKS, _SIDE = 192, 192

_SEVERITIES = {"mild": 0.1, "medium": 0.5, "hard": 0.9}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Works that training never sees.

    Attributes:
        works: float32 (n, 3, side, side), RGB in 0..1, squashed to squares.
        aspects: float32 (n,), width over height.
    """

    works: Tensor
    aspects: Tensor

    @classmethod
    def draw(cls, device: torch.device) -> "HeldOut":
        """Paint the works."""
        pictures = [painting(*work(number, seed=_SEED), size=256) for number in range(_WORKS)]
        squares = torch.from_numpy(np.stack([squash(picture, _SIDE) for picture in pictures]))
        aspects = torch.tensor([picture.shape[1] / picture.shape[0] for picture in pictures])
        return cls(squares.to(device).permute(0, 3, 1, 2).float() / 255, aspects.to(device))

    def accuracy(self, model: Encoder, side: int) -> dict[str, float]:
        """Return the share of photos whose own work comes first, by severity.

        The views are the same at each call, and the caller's random numbers are left alone.
        """
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(_SEED)
            catalogue = _encode(model, scan(self.works, side))
            own = torch.arange(len(catalogue), device=catalogue.device)
            result = {}
            for name, level in _SEVERITIES.items():
                severity = torch.full_like(self.aspects, level)
                views = photograph(self.works, self.aspects, severity, side)
                first = (_encode(model, views) @ catalogue.T).argmax(1)
                result[name] = round((first == own).float().mean().item(), 4)
        return result


def _encode(model: Encoder, pictures: Tensor) -> Tensor:
    return torch.cat([model(part) for part in torch.split(pictures, 64)])
