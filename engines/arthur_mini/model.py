"""The network of arthur-mini: a small residual convolutional encoder of pictures."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

GEM_POWER = 3
"""Exponent of the generalised mean: 1 would be the average, infinity the maximum."""

_FLOOR = 1e-5
"""Smallest activation pooled, so that the root has a bounded slope."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of the network.

    Attributes:
        widths: Channels of the stem and of each stage; every entry halves the resolution once.
        blocks: Residual blocks in each stage: one entry fewer than ``widths``.
        kernel: Side of the depthwise convolutions, odd.
        expansion: Hidden channels of a block, as a multiple of its width.
        features: Channels that are pooled.
        dim: Length of a vector.
    """

    widths: tuple[int, ...] = (16, 32, 96, 192)
    blocks: tuple[int, ...] = (1, 2, 5)
    kernel: int = 3
    expansion: int = 3
    features: int = 384
    dim: int = 256

    def as_dict(self) -> dict[str, int | tuple[int, ...]]:
        """Return the fields by name, as a checkpoint stores them."""
        return asdict(self)


class Step(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, channels: int, out: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (n, channels, h, w) to (n, out, h / stride, w / stride)."""
        return functional.relu(self.norm(self.conv(maps)), inplace=True)


class Block(nn.Module):
    """Residual block: a depthwise convolution, then two pointwise ones with a ReLU between."""

    def __init__(self, channels: int, *, kernel: int, expansion: int) -> None:
        super().__init__()
        hidden = channels * expansion
        self.depthwise = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(channels)
        self.expand = nn.Conv2d(channels, hidden, 1)
        self.reduce = nn.Conv2d(hidden, channels, 1, bias=False)
        self.reduce_norm = nn.BatchNorm2d(channels)
        # Blocks start close to the identity, which lets the learning rate be high at once.
        nn.init.constant_(self.reduce_norm.weight, 0.3)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (n, channels, h, w) to the same shape."""
        hidden = self.expand(self.depthwise_norm(self.depthwise(maps)))
        out: Tensor = maps + self.reduce_norm(self.reduce(functional.relu(hidden, inplace=True)))
        return out


class Encoder(nn.Module):
    """Pictures to unit vectors."""

    mean: Tensor
    std: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        widths, kernel = architecture.widths, architecture.kernel
        layers: list[nn.Module] = [Step(3, widths[0], kernel=3, stride=2)]
        for before, width, blocks in zip(widths, widths[1:], architecture.blocks, strict=False):
            layers.append(Step(before, width, kernel=3, stride=2))
            layers += [Block(width, kernel=kernel, expansion=architecture.expansion) for _ in range(blocks)]
        layers.append(Step(widths[-1], architecture.features, kernel=1, stride=1))
        self.body = nn.Sequential(*layers)
        self.norm = nn.BatchNorm1d(architecture.features)
        self.head = nn.Linear(architecture.features, architecture.dim)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Encode pictures.

        Args:
            pictures: float32 (n, 3, side, side), RGB in 0..1; any side from 32 on.

        Returns:
            float32 (n, dim), rows of length one.
        """
        maps = self.body((pictures - self.mean) / self.std).float()
        pooled = maps.clamp(min=_FLOOR).pow(GEM_POWER).mean((2, 3)).pow(1 / GEM_POWER)
        vectors: Tensor = self.head(self.norm(pooled))
        return functional.normalize(vectors.float(), dim=1)
