"""Where a work lies in a photo: random camera poses for a batch, as sampling grids."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


class Chance:
    """Random numbers for a batch of pictures, wider the harder each picture's photo is.

    Args:
        severity: float32 (n,), 0 mild .. 1 hard.
    """

    def __init__(self, severity: Tensor) -> None:
        self.severity = severity
        self.count = severity.shape[0]
        self.device = severity.device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return uniform numbers, float32 (n, *shape)."""
        return torch.rand(self.count, *shape, device=self.device) * (high - low) + low

    def up_to(self, mild: float, hard: float, *shape: int) -> Tensor:
        """Return uniform numbers from 0 to a limit that grows with severity: (n, *shape)."""
        limit = mild + (hard - mild) * self.severity
        return self.uniform(0, 1, *shape) * limit.view(-1, *[1] * len(shape))

    def around(self, mild: float, hard: float, *shape: int) -> Tensor:
        """Return uniform numbers from minus to plus such a limit: (n, *shape)."""
        limit = mild + (hard - mild) * self.severity
        return self.uniform(-1, 1, *shape) * limit.view(-1, *[1] * len(shape))

    def happens(self, mild: float, hard: float) -> Tensor:
        """Return which pictures an event befalls: bool (n,)."""
        return self.uniform(0, 1) < mild + (hard - mild) * self.severity

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers, float32 (n, *shape)."""
        return torch.randn(self.count, *shape, device=self.device)


@dataclass(frozen=True, slots=True)
class View:
    """A batch of camera views.

    Attributes:
        places: float32 (n, side, side, 2), the point of the work's plane seen by each pixel; the
            work itself covers -1..1 in both.
        half: float32 (n, 2), half width and half height of the work, the longer one 1.
        span: float32 (n,), about how much of the picture's side the work's shorter side fills.
    """

    places: Tensor
    half: Tensor
    span: Tensor


def pixel_grid(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return x and y of each pixel's centre in -1..1: float32 (side, side) each."""
    line = (torch.arange(side, device=device).float() + 0.5) / side * 2 - 1
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    return columns, rows


def camera(chance: Chance, aspect: Tensor, side: int) -> View:
    """Draw a camera pose for each work.

    Args:
        chance: The batch's random numbers.
        aspect: float32 (n,), width over height of each work.
        side: Side of the photo in pixels; photos are squashed to squares like the works.
    """
    ones = torch.ones_like(aspect)
    half = torch.stack([torch.where(aspect > 1, ones, aspect), torch.where(aspect > 1, 1 / aspect, ones)], 1)
    plane = _projection(chance, half)
    placed, scale = _place(chance, plane, aspect)
    columns, rows = pixel_grid(side, aspect.device)
    radius = columns**2 + rows**2
    barrel = 1 + 0.03 * chance.normal(1, 1) * radius
    bend = (chance.around(0, 0.03) * chance.happens(0.3, 0.5)).view(-1, 1, 1)
    wave = torch.sin(chance.uniform(2, 6, 1, 1) * rows + chance.uniform(0, 6, 1, 1))
    seen = torch.stack([columns * barrel + bend * wave, rows * barrel, torch.ones_like(barrel)], -1)
    points = seen.view(chance.count, -1, 3) @ torch.linalg.inv(placed).transpose(1, 2)
    places = points[..., :2] / points[..., 2:].clamp(min=1e-3)
    return View(places.view(chance.count, side, side, 2), half, 0.9 * scale * half.amin(1))


def _projection(chance: Chance, half: Tensor) -> Tensor:
    """Return the homography (n, 3, 3) from the work's plane to a camera in front of it."""
    yaw, pitch = chance.around(0.15, 0.75), chance.around(0.12, 0.5)
    rotation = _about_z(_roll(chance)) @ _about_x(pitch) @ _about_y(yaw)
    zeros, focal = torch.zeros_like(yaw), chance.uniform(1.8, 3.6)
    shift = torch.stack([zeros, zeros, focal], 1)
    lens = torch.diag_embed(torch.stack([focal, focal, torch.ones_like(focal)], 1))
    size = torch.diag_embed(torch.cat([half, torch.ones_like(half[:, :1])], 1))
    return lens @ torch.stack([rotation[:, :, 0], rotation[:, :, 1], shift], 2) @ size


def _roll(chance: Chance) -> Tensor:
    """Mostly upright; a quarter hand-held at any angle to 46 degrees, some turned by 90."""
    roll = chance.normal() * (0.02 + 0.13 * chance.severity)
    kind = chance.uniform(0, 1)
    roll = roll + torch.where(kind < 0.25, chance.uniform(-0.8, 0.8), 0)
    quarters = torch.randint(1, 4, (chance.count,), device=chance.device)
    return roll + torch.where(kind > 0.85, quarters * (math.pi / 2), 0)


def _place(chance: Chance, plane: Tensor, aspect: Tensor) -> tuple[Tensor, Tensor]:
    """Move the projected works into the frame: homographies (n, 3, 3) and scales (n,)."""
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]], device=plane.device)
    projected = corners @ plane.transpose(1, 2)
    projected = projected[..., :2] / projected[..., 2:]
    low, high = projected.amin(1), projected.amax(1)
    extent, centre = high - low, (high + low) / 2
    frame = _frame(chance, aspect)
    room = 2 * frame / extent
    whole = room.amin(1) * (1 - chance.up_to(0.05, 0.75))
    detail = room.amax(1) / (1 - chance.up_to(0.3, 0.7))
    scale = torch.where(chance.happens(0.1, 0.4), detail, whole)
    slack = (frame - extent * scale[:, None] / 2).abs() * chance.uniform(-0.9, 0.9, 2)
    move = torch.zeros_like(plane)
    move[:, 0, 0], move[:, 1, 1] = scale / frame[:, 0], scale / frame[:, 1]
    move[:, :2, 2] = (slack - centre * scale[:, None]) / frame
    move[:, 2, 2] = 1
    return move @ plane, scale


def _frame(chance: Chance, aspect: Tensor) -> Tensor:
    """Return half width and half height of each photo (n, 2): square, or 4:3 either way."""
    ones = torch.ones_like(aspect)
    wide = (aspect > 1) ^ (chance.uniform(0, 1) < 0.4)
    square = chance.uniform(0, 1) < 0.3
    width = torch.where(wide & ~square, 4 / 3 * ones, ones)
    height = torch.where(wide | square, ones, 4 / 3 * ones)
    return torch.stack([width, height], 1)


def _about_x(angle: Tensor) -> Tensor:
    return _turn(angle, 1, 2)


def _about_y(angle: Tensor) -> Tensor:
    return _turn(angle, 2, 0)


def _about_z(angle: Tensor) -> Tensor:
    return _turn(angle, 0, 1)


def _turn(angle: Tensor, first: int, second: int) -> Tensor:
    matrix = torch.eye(3, device=angle.device).repeat(len(angle), 1, 1)
    cosine, sine = angle.cos(), angle.sin()
    matrix[:, first, first] = cosine
    matrix[:, second, second] = cosine
    matrix[:, first, second] = -sine
    matrix[:, second, first] = sine
    return matrix
