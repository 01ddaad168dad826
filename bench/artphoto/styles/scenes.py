"""Styles that show a place: landscapes, the sea and the city."""

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.fields import Picture, distance, noise
from bench.artphoto.canvas import Brief, Canvas, rgb, shade
from bench.artphoto.palettes import quantised, through


def landscape(brief: Brief) -> Picture:
    """Paint sky, hills one behind the other, and trees or houses."""
    composition = brief.composition
    horizon = composition.uniform(0.3, 0.7)
    canvas = Canvas(quantised(_sky(brief, horizon)))
    for layer in range(layers := int(brief.artist.integers(2, 6))):
        depth = layer / layers
        colour = shade(brief.palette[(2 + layer) % len(brief.palette)], 0.55 + 0.45 * depth)
        height = (0.09 if layer == 0 else 0.05) * brief.artist.uniform(0.4, 1.4) * (1 - 0.4 * depth)
        canvas.polygon(_hill(brief, horizon + 0.8 * (1 - horizon) * depth, height), colour)
    if composition.random() < 0.35:
        _reflect(canvas, brief, horizon + 0.25 * (1 - horizon))
    wooded = composition.random() < 0.6
    for _ in range(int(brief.artist.integers(0, 26))):
        nearness = composition.uniform(0.05, 0.9)
        x = composition.uniform(0, 1) + brief.detail.normal(0, 0.01)
        foot, size = horizon + (1 - horizon) * nearness, 0.03 + 0.12 * nearness
        colour = shade(brief.any_colour(2), composition.uniform(0.4, 0.9))
        if wooded:
            _tree(canvas, brief, (x, foot), size, colour)
        else:
            _house(canvas, (x, foot), size, colour)
    return canvas.picture


def seascape(brief: Brief) -> Picture:
    """Paint waves under a sky, with a few sails."""
    composition, detail = brief.composition, brief.detail
    horizon = composition.uniform(0.25, 0.6)
    canvas = Canvas(quantised(_sky(brief, horizon)))
    canvas.box((0, horizon), (1, 1.05), shade(brief.palette[1], 0.6))
    for _ in range(int(composition.integers(1, 5))):
        x, size = (
            composition.uniform(0.05, 0.95) + detail.normal(0, 0.01),
            composition.uniform(0.04, 0.16),
        )
        foot = horizon + composition.uniform(0.01, 0.2)
        _boat(canvas, brief, (x, foot), size)
    across = np.linspace(-0.05, 1.05, 60)
    rows = int(brief.artist.integers(8, 26))
    for row in range(rows):
        near = (row + 1) / rows
        y = horizon + (1 - horizon) * near**1.5
        waves = composition.uniform(4, 9) / (0.3 + near)
        swell = np.sin(across * waves * 2 * np.pi / 3 + composition.uniform(0, 6))
        swell = 0.022 * near * (swell + 0.5 * detail.normal(0, 0.4, across.shape))
        colour = shade(brief.any_colour(1), composition.uniform(0.5, 1.3))
        canvas.line(np.stack([across, y + swell], 1), colour, 0.003 + 0.009 * near)
    return canvas.picture


def city(brief: Brief) -> Picture:
    """Paint rows of houses with lit windows."""
    composition = brief.composition
    height, width = brief.shape
    fall = np.linspace(0, 0.8, height, dtype=np.float32)[:, None].repeat(width, 1)
    haze = 0.2 * noise(brief.detail, brief.shape, octaves=4)
    canvas = Canvas(quantised(through(brief.palette[:3], fall + haze)))
    window, gap = brief.artist.uniform(0.015, 0.04), brief.artist.uniform(1.4, 2.4)
    for street in range(3):
        left = -0.1
        while left < 1.05:
            breadth = composition.uniform(0.08, 0.22)
            top = 1 - composition.uniform(0.2, 0.65) * (1 - 0.15 * street)
            top += brief.detail.normal(0, 0.006)
            colour = shade(brief.any_colour(2), 0.45 + 0.25 * street)
            canvas.box((left, top), (left + breadth, 1.05), colour)
            if composition.random() < 0.3:
                ridge = [[left, top], [left + breadth / 2, top - 0.08], [left + breadth, top]]
                canvas.polygon(ridge, shade(colour, 0.7))
            _windows(canvas, brief, (left, top, breadth), (window, window * gap), colour)
            left += breadth * composition.uniform(0.8, 1.2)
    return canvas.picture


def _sky(brief: Brief, horizon: float) -> NDArray[np.float32]:
    composition, (height, width) = brief.composition, brief.shape
    fall = np.linspace(0, 1 / horizon, height, dtype=np.float32)[:, None].repeat(width, 1)
    cover = 0.75 * noise(composition, brief.shape) + 0.25 * noise(brief.detail, brief.shape, base=6)
    cloud = 0.55 * np.clip(cover * 2 - 1, 0, 1)[..., None]
    sky = through(brief.palette[:3], fall) * (1 - cloud)
    sky += cloud * np.maximum(brief.palette.max(0), 0.75)
    if composition.random() < 0.55:
        x, y = composition.uniform(0.1, 0.9), composition.uniform(0.05, 0.9) * horizon
        glow = distance(brief.shape, x, y) / composition.uniform(0.03, 0.09)
        sky += np.exp(-(glow**2))[..., None] * rgb(1, 0.85, 0.5)
    return np.clip(sky, 0, 1).astype(np.float32)


def _hill(brief: Brief, level: float, height: float) -> NDArray[np.float64]:
    across = np.linspace(0, 1, 80)
    profile = brief.detail.normal(0, 0.06, len(across))
    for waves in (1, 2, 3, 5, 8, 13):
        strength, phase = brief.composition.normal() / waves**1.1, brief.composition.random()
        profile = profile + strength * np.sin(2 * np.pi * waves * (across + phase))
    edge = np.stack([across, level - height * profile], 1)
    return np.concatenate([edge, [[1, 1.05], [0, 1.05]]])


def _reflect(canvas: Canvas, brief: Brief, level: float) -> None:
    shore = int(canvas.height * level)
    depth = canvas.height - shore
    mirrored = canvas.picture[max(0, shore - depth) : shore][::-1]
    mirrored = cv2.resize(mirrored, (canvas.width, depth)).astype(np.float32)
    ripples = noise(brief.detail, (depth, canvas.width), octaves=4, base=20) - 0.5
    water = 0.75 * mirrored + 0.25 * 255 * brief.palette[1] + 40 * ripples[..., None]
    canvas.picture[shore:] = np.clip(water, 0, 255).astype(np.uint8)


def _tree(
    canvas: Canvas,
    brief: Brief,
    foot: tuple[float, float],
    size: float,
    colour: NDArray[np.float32],
) -> None:
    x, y = foot
    canvas.line([[x, y], [x, y - 1.4 * size]], shade(colour, 0.5), 0.1 * size)
    for _ in range(4):
        dx, lift, light = (
            brief.detail.normal(0, 0.3),
            brief.detail.random(),
            brief.detail.uniform(0.7, 1.3),
        )
        crown = (x + size * dx, y - size * (1 + 0.4 * lift))
        canvas.disc(crown, 0.4 * size, shade(colour, light))


def _house(canvas: Canvas, foot: tuple[float, float], size: float, colour: NDArray[np.float32]) -> None:
    gable = np.array([[-1, 0], [-1, -1], [0, -1.7], [1, -1], [1, 0]])
    door = np.array([[-0.2, 0], [-0.2, -0.5], [0.2, -0.5], [0.2, 0]])
    canvas.polygon(gable * size + foot, colour)
    canvas.polygon(door * size + foot, shade(colour, 0.4))


def _boat(canvas: Canvas, brief: Brief, foot: tuple[float, float], size: float) -> None:
    hull = np.array([[-1, -0.25], [1, -0.25], [0.7, 0], [-0.7, 0]])
    lean = brief.composition.normal(0, 0.15)
    sail = np.array([[0, -0.3], [lean, -2], [0.9, -0.4]])
    other = np.array([[-0.05, -0.3], [lean - 0.05, -1.7], [-0.7, -0.4]])
    canvas.polygon(hull * size + foot, shade(brief.any_colour(), 0.5))
    canvas.polygon(sail * size + foot, shade(brief.any_colour(), 1.3))
    if brief.composition.random() < 0.6:
        canvas.polygon(other * size + foot, brief.any_colour())


def _windows(
    canvas: Canvas,
    brief: Brief,
    house: tuple[float, float, float],
    pane: tuple[float, float],
    colour: NDArray[np.float32],
) -> None:
    (left, top, breadth), (size, step) = house, pane
    light = brief.palette[-1] * 0.5 + rgb(1, 0.9, 0.5) * 0.5
    for column in range(int(breadth / step)):
        for row in range(int((1 - top) / (1.5 * step))):
            if brief.composition.random() < 0.25:
                continue
            x, y = left + (column + 0.4) * step, top + (row + 0.4) * step * 1.5
            lit = brief.detail.random() < 0.3
            canvas.box((x, y), (x + size, y + 1.4 * size), light if lit else shade(colour, 0.4))
