"""Abstract styles: fields of colour, shapes, lines and tiles."""

import cv2
import numpy as np

from arthur.simulation.fields import Picture, blur, distance, grid, noise, ridges
from bench.artphoto.canvas import Brief, Canvas, bezier, rgb, shade
from bench.artphoto.palettes import quantised, through


def clouds(brief: Brief) -> Picture:
    """Paint warped noise through the palette, in flat steps for some artists."""
    artist, composition, shape = brief.artist, brief.composition, brief.shape
    base, octaves = artist.uniform(1.5, 5), int(artist.integers(3, 7))
    make = ridges if artist.random() < 0.4 else noise
    field = make(composition, shape, octaves=octaves, base=base)
    reach = artist.uniform(0, 0.7) * max(shape)
    across = noise(composition, shape, octaves=3, base=2) - 0.5
    down = 0.7 * noise(composition, shape, octaves=3, base=2) - 0.5
    down += 0.3 * noise(brief.detail, shape, octaves=3, base=2)
    rows, columns = grid(shape)
    warped = cv2.remap(
        field,
        (columns + across * reach).astype(np.float32),
        (rows + down * reach).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    field = warped.astype(np.float32, copy=False)
    steps = int(artist.integers(0, 9))
    if steps > 3:
        field = 0.85 * np.floor(field * steps) / steps + 0.15 * field
    return quantised(through(brief.palette, field))


def rings(brief: Brief) -> Picture:
    """Paint overlapping targets of concentric coloured rings."""
    artist, composition, detail = brief.artist, brief.composition, brief.detail
    picture = through(brief.palette[:2], noise(composition, brief.shape, octaves=3, base=2))
    band = artist.uniform(0.012, 0.05)
    halves = artist.random() < 0.5
    for _ in range(int(artist.integers(3, 12))):
        x, y = composition.uniform(0, 1, 2) + detail.normal(0, 0.015, 2)
        radius = composition.uniform(0.08, 0.4)
        away = distance(brief.shape, x, y)
        ring = np.floor(away / band).astype(np.int32)
        if halves:
            rows, columns = grid(brief.shape)
            turn = composition.uniform(0, 2 * np.pi)
            side = (columns - x * brief.shape[1]) * np.cos(turn)
            ring += 3 * (side + (rows - y * brief.shape[0]) * np.sin(turn) > 0)
        order = composition.permutation(len(brief.palette))
        inside = np.clip((radius - away) * 200, 0, 1)[..., None]
        picture = picture * (1 - inside) + brief.palette[order[ring % len(order)]] * inside
    return quantised(picture)


def shapes(brief: Brief) -> Picture:
    """Paint discs, rings, bars, triangles and lines of one artist's three favourite kinds."""
    artist, composition, detail = brief.artist, brief.composition, brief.detail
    ground = np.stack([brief.palette[0], 0.6 * brief.palette[0] + 0.4 * brief.palette[1]])
    canvas = Canvas(quantised(through(ground, noise(composition, brief.shape, octaves=3, base=2))))
    kinds, size = artist.permutation(5)[:3], artist.uniform(0.04, 0.22)
    for _ in range(int(artist.integers(6, 40))):
        kind = int(composition.choice(kinds))
        centre = composition.uniform(0, 1, 2) + detail.normal(0, 0.02, 2)
        scale = size * float(np.exp(composition.normal(0, 0.6)))
        colour = brief.any_colour(1)
        turn = composition.uniform(0, 2 * np.pi)
        if kind == 0:
            canvas.disc(centre, scale, colour)
        elif kind == 1:
            canvas.disc(centre, scale, colour, outline=composition.uniform(0.005, 0.03))
        elif kind == 2:
            bar = np.array([[-1, -0.4], [1, -0.4], [1, 0.4], [-1, 0.4]]) * scale
            rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            canvas.polygon(bar @ rotation + centre, colour)
        elif kind == 3:
            canvas.polygon(composition.normal(0, scale, (3, 2)) + centre, colour)
        else:
            end = centre + composition.normal(0, 0.4, 2)
            canvas.line(np.stack([centre, end]), colour, composition.uniform(0.003, 0.02))
    return canvas.picture


def panels(brief: Brief) -> Picture:
    """Divide the picture again and again into coloured rectangles between dark bars."""
    artist, composition = brief.artist, brief.composition
    light = artist.random() < 0.6
    canvas = Canvas.filled(brief.shape, rgb(0.93, 0.92, 0.88) if light else brief.palette[0])
    filled, thickness = artist.uniform(0.25, 0.8), artist.uniform(0.004, 0.02)
    bars = rgb(0.06, 0.06, 0.06) if artist.random() < 0.7 else brief.palette[1]
    divisions = int(artist.integers(3, 6))
    pending = [(0.0, 0.0, 1.0, 1.0, divisions)]
    while pending:
        x0, y0, x1, y1, depth = pending.pop()
        if depth == 0 or (depth < divisions - 1 and composition.random() < 0.12):
            if composition.random() < filled:
                canvas.box((x0, y0), (x1, y1), brief.any_colour())
            outline = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
            canvas.line(outline, bars, thickness)
            continue
        cut = float(np.clip(composition.uniform(0.2, 0.8) + brief.detail.normal(0, 0.02), 0.1, 0.9))
        if (x1 - x0) * canvas.aspect > y1 - y0:
            middle = x0 + cut * (x1 - x0)
            pending += [(x0, y0, middle, y1, depth - 1), (middle, y0, x1, y1, depth - 1)]
        else:
            middle = y0 + cut * (y1 - y0)
            pending += [(x0, y0, x1, middle, depth - 1), (x0, middle, x1, y1, depth - 1)]
    return canvas.picture


def colour_fields(brief: Brief) -> Picture:
    """Paint a few large soft-edged rectangles on a ground."""
    artist, composition, detail = brief.artist, brief.composition, brief.detail
    height, width = brief.shape
    picture = np.ones((height, width, 3), np.float32) * brief.palette[0]
    count, softness = int(artist.integers(2, 6)), artist.uniform(0.004, 0.02)
    upright = artist.random() < 0.25
    top = 0.05
    for index in range(count):
        depth = 0.9 / count * composition.uniform(0.6, 1)
        inset = composition.uniform(0.04, 0.14) + detail.normal(0, 0.01)
        left, right = int(inset * 100), int((1 - inset) * 100)
        first, last = int(top * 100), int((top + depth - 0.02) * 100)
        mask = np.zeros((100, 100), np.float32)
        mask[first:last, left:right] = 1
        stretched = cv2.resize(mask.T if upright else mask, (width, height)).astype(np.float32, copy=False)
        mask = blur(stretched, softness * max(brief.shape))
        mask = mask * (0.75 + 0.25 * noise(detail, brief.shape, base=6))
        layer = brief.palette[1 + index % (len(brief.palette) - 1)]
        picture = picture * (1 - mask[..., None]) + layer * mask[..., None]
        top += 0.9 / count
    return quantised(picture * (0.92 + 0.12 * noise(detail, brief.shape, base=8))[..., None])


def drips(brief: Brief) -> Picture:
    """Throw curves and drops of paint over the canvas."""
    artist, composition, detail = brief.artist, brief.composition, brief.detail
    canvas = Canvas.filled(brief.shape, brief.palette[0] if artist.random() < 0.5 else rgb(0.9, 0.87, 0.8))
    thickness, drops = artist.uniform(0.002, 0.008), int(artist.integers(0, 8))
    for _ in range(int(artist.integers(25, 120))):
        colour = brief.any_colour(1)
        curve = bezier(composition, int(composition.integers(3, 8)))
        weight = thickness * float(np.exp(composition.normal(0, 0.5)))
        canvas.line(curve + detail.normal(0, 0.002, curve.shape), colour, weight)
        for _ in range(drops):
            centre = curve[int(composition.integers(len(curve)))] + composition.normal(0, 0.02, 2)
            canvas.disc(centre, abs(detail.normal(0, 0.006)) + 0.001, colour)
    return canvas.picture


def mosaic(brief: Brief) -> Picture:
    """Lay cells of stone, each of one colour, with or without joints."""
    artist, composition, detail = brief.artist, brief.composition, brief.detail
    height, width = brief.shape
    count = int(artist.integers(60, 900))
    seeds = composition.uniform(0, 1, (count, 2)) + detail.normal(0, 0.008, (count, 2))
    pixels = np.clip((seeds * [width, height]).astype(int), 0, [width - 1, height - 1])
    columns, rows = pixels[:, 0], pixels[:, 1]
    holes = np.full(brief.shape, 255, np.uint8)
    holes[rows, columns] = 0
    _, cells = cv2.distanceTransformWithLabels(holes, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    field = noise(composition, brief.shape, octaves=4, base=artist.uniform(1.5, 5))
    values = np.zeros(int(cells.max()) + 1, np.float32)
    values[cells[rows, columns]] = field[rows, columns] + detail.normal(0, 0.04, count)
    picture = through(brief.palette, values[cells])
    if artist.random() < 0.6:
        joints = cv2.morphologyEx(cells.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        picture[joints > 0] = shade(brief.palette[0], 0.25)
    return quantised(picture)
