"""Works on paper and cloth: posters, patterns, etchings and brush drawings."""

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.fields import Picture, blur, distance, grid, noise
from bench.artphoto.canvas import Brief, Canvas, bezier, rgb, shade
from bench.artphoto.palettes import quantised, through
from bench.artphoto.styles.abstract import shapes
from bench.artphoto.styles.figures import portrait, still_life
from bench.artphoto.styles.scenes import landscape

WORDS = (
    "ART",
    "NUIT",
    "BLANCHE",
    "EXPO",
    "MUSEE",
    "OPERA",
    "JAZZ",
    "CIRCUS",
    "PARIS",
    "WIEN",
    "ROMA",
    "SALON",
    "LIBERTE",
    "TEA",
    "CAFE",
    "RADIO",
    "METRO",
    "FILM",
    "VELO",
    "NORD",
    "STAR",
    "LINE",
    "OCEAN",
    "ATLAS",
    "MODERN",
    "FESTIVAL",
    "BIENNALE",
    "GALERIE",
    "KUNST",
)
"""What is printed on posters and covers."""

FACES = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
"""Faces of the lettering."""


def poster(brief: Brief) -> Picture:
    """Print lines of text over a flat ground, shapes or a landscape."""
    artist, composition = brief.artist, brief.composition
    ground = artist.random()
    if ground < 0.5:
        canvas = Canvas(shapes(brief))
    elif ground < 0.75:
        canvas = Canvas(landscape(brief))
    else:
        canvas = Canvas.filled(brief.shape, brief.palette[0])
    if artist.random() < 0.6:
        top = composition.uniform(0, 0.7)
        canvas.box((0, top), (1, top + 0.3), brief.any_colour())
    face = FACES[int(artist.integers(len(FACES)))]
    for _ in range(int(artist.integers(2, 8))):
        text = " ".join(composition.choice(WORDS, int(composition.integers(1, 3))))
        if composition.random() < 0.3:
            text = f"{text} {composition.integers(1890, 1990)}"
        scale = canvas.longest / 300 * composition.uniform(0.5, 2.2)
        left = composition.uniform(-0.02, 0.5) + brief.detail.normal(0, 0.01)
        baseline = composition.uniform(0.1, 0.97)
        ink = brief.any_colour(1) if composition.random() < 0.6 else rgb(0.05, 0.05, 0.05)
        cv2.putText(
            canvas.picture,
            text,
            (int(left * canvas.width), int(baseline * canvas.height)),
            face,
            scale,
            quantised(ink).tolist(),
            max(1, int(scale * composition.uniform(1, 3))),
            cv2.LINE_AA,
        )
    return canvas.picture


def pattern(brief: Brief) -> Picture:
    """Weave a repeated tile, with a medallion and a border for some artists."""
    artist, composition = brief.artist, brief.composition
    height, width = brief.shape
    longest = max(brief.shape)
    design = _tile(brief)
    side = max(8, longest // int(artist.integers(3, 9)))
    tile = cv2.resize(design, (side, side), interpolation=cv2.INTER_AREA)
    repeated = np.tile(tile, (height // side + 1, width // side + 1, 1))[:height, :width]
    picture = repeated.astype(np.float32) / np.float32(255)
    if artist.random() < 0.7:
        picture = _medallion(brief, picture)
    canvas = Canvas(quantised(picture * _weave(brief)))
    if artist.random() < 0.5:
        edge = composition.uniform(0.03, 0.09)
        for inset, thickness in ((0.5 * edge, edge), (0.3 * edge, 0.5 * edge)):
            low, right, bottom = inset, 1 - inset, 1 - inset
            corners = [[low, low], [right, low], [right, bottom], [low, bottom], [low, low]]
            canvas.line(corners, brief.any_colour(), thickness)
    return canvas.picture


def etching(brief: Brief) -> Picture:
    """Draw another subject in hatched lines of ink on paper."""
    artist, detail = brief.artist, brief.detail
    subject = (portrait, still_life, landscape, shapes)[int(artist.integers(4))](brief)
    tone = cv2.equalizeHist(cv2.cvtColor(subject, cv2.COLOR_RGB2GRAY))
    rows, columns = grid(brief.shape)
    longest = max(brief.shape)
    wobble = noise(detail, brief.shape, octaves=4, base=8) * 0.02
    frequency = artist.uniform(50, 110) * 2 * np.pi / 1.4
    paper = np.ones(brief.shape, np.float32)
    for layer, threshold in enumerate((191, 128, 77)):
        angle = artist.random() * 3 + layer * 1.1
        along = (columns * np.cos(angle) + rows * np.sin(angle)) / longest + wobble
        hatch = 0.5 + 0.5 * np.sin(along * frequency)
        paper = np.where(tone < threshold, paper * (0.45 + 0.55 * hatch), paper)
    contour = cv2.dilate(cv2.Canny(tone, 60, 160), np.ones((2, 2), np.uint8))
    paper = np.where(contour > 0, paper * 0.3, paper)
    grain = 0.08 * (noise(detail, brief.shape, octaves=6, base=12) - 0.5)
    light = np.clip(paper + grain, 0, 1)[..., None].astype(np.float32)
    sheet = shade(rgb(0.95, 0.91, 0.82), artist.uniform(0.85, 1.04))
    return quantised(sheet * light + shade(brief.palette[0], 0.3) * (1 - light))


def brush_drawing(brief: Brief) -> Picture:
    """Draw a few swelling brush strokes on paper, signed with a seal for some artists."""
    artist, composition, detail = brief.artist, brief.composition, brief.detail
    sheet = shade(rgb(0.93, 0.9, 0.82), artist.uniform(0.85, 1.05))
    canvas = Canvas.filled(brief.shape, sheet)
    for _ in range(int(artist.integers(4, 22))):
        curve = bezier(composition, int(composition.integers(3, 6)), samples=30)
        curve = curve + detail.normal(0, 0.002, curve.shape)
        ink = rgb(0.1, 0.1, 0.12) if composition.random() < 0.75 else brief.any_colour()
        weight = composition.uniform(0.004, 0.03)
        for step in range(len(curve) - 1):
            swell = 0.2 + np.sin(np.pi * (step + 1) / len(curve))
            canvas.line(curve[step : step + 2], ink, weight * swell * detail.uniform(0.8, 1.2))
    if artist.random() < 0.6:
        corner = composition.uniform(0.05, 0.85, 2)
        opposite = corner + np.array([0.05, 0.05 * canvas.aspect])
        canvas.box(corner, opposite, rgb(0.75, 0.1, 0.1))
        for _ in range(4):
            stroke = corner + composition.uniform(0.1, 0.9, (3, 2)) * (opposite - corner)
            canvas.line(stroke, rgb(0.95, 0.9, 0.85), 0.002)
    soft = blur(canvas.picture.astype(np.float32), 0.6)
    paper = 0.9 + 0.1 * noise(detail, brief.shape, base=4)
    return np.clip(soft * paper[..., None], 0, 255).astype(np.uint8)


def _tile(brief: Brief) -> Picture:
    artist, composition = brief.artist, brief.composition
    side = int(artist.integers(48, 96))
    tile = Canvas.filled((side, side), brief.palette[0])
    for _ in range(int(artist.integers(2, 9))):
        colour, kind = brief.any_colour(1), int(composition.integers(4))
        centre, size = composition.uniform(0.1, 0.9, 2), composition.uniform(0.08, 0.35)
        if kind == 0:
            tile.disc(centre, size, colour)
        elif kind == 1:
            tile.polygon(composition.normal(0, size, (4, 2)) + centre, colour)
        elif kind == 2:
            turn = composition.uniform(0, 360)
            tile.disc(centre, (size, 0.4 * size), colour, degrees=turn, outline=0.03)
        else:
            tile.line(bezier(composition, 4), colour, 0.03)
    if artist.random() < 0.4:
        return tile.picture
    upper = np.concatenate([tile.picture, tile.picture[:, ::-1]], 1)
    return np.concatenate([upper, upper[::-1]], 0)


def _medallion(brief: Brief, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    composition = brief.composition
    height, width = brief.shape
    x, y = 0.5 + composition.normal(0, 0.03, 2)
    rows, columns = grid(brief.shape)
    angle = np.arctan2(rows - y * height, columns - x * width)
    lobes = np.cos(angle * composition.integers(3, 12) + composition.uniform(0, 6))
    away = distance(brief.shape, x, y) * (1 + composition.uniform(0.05, 0.3) * lobes)
    bands = (away * composition.uniform(4, 12)) % 1
    inside = (away < composition.uniform(0.15, 0.32))[..., None]
    return np.where(inside, through(brief.palette[::-1], bands), picture)


def _weave(brief: Brief) -> NDArray[np.float32]:
    return (0.88 + 0.16 * noise(brief.detail, brief.shape, base=10))[..., None]
