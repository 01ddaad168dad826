"""How far each distortion of a simulated photo may go, at four severities."""

from dataclasses import dataclass
from typing import TypeAlias

Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one severity; a ``p_`` field is the probability that something happens.

    Attributes:
        cover: Size of the framed work, as a fraction of the photo, when all of it is in view.
        p_detail: A detail of the work instead of the whole.
        detail: Fraction of the work's width and height that a detail shows.
        tilt: Largest yaw, degrees; the pitch goes to 70 % of it.
        roll: Twice the standard deviation of the roll, degrees.
        p_quarter_turn: The photo lies on its side or upside down.
        bend: Largest shift by a bent sheet, as a fraction of the width.
        p_frame: The work is framed.
        p_neighbours: Other works hang around it.
        exposure: Largest change of exposure, stops.
        white_balance: Largest gain of a channel, natural logarithm.
        gamma: Spread of the gamma, natural logarithm.
        saturation: Largest change of the saturation.
        falloff: Largest loss of light across the photo.
        p_shadow: A shadow falls on it.
        p_glare: Lamps or windows shine in the varnish.
        p_reflection: The room is mirrored in the glass.
        reflection: Strength of that mirror image.
        p_occlusion: A finger, a visitor or a label hides a part.
        occlusion: Fraction of the visible work that it hides.
        p_overlay: Text lies over the photo, as in a screenshot.
        defocus: Largest Gaussian sigma, pixels at a long side of 640.
        motion: Largest length of motion blur, pixels at a long side of 640.
        noise: Largest sigma of the sensor's noise, 8-bit levels.
        p_moire: The work is on a screen.
        p_grey: The photo is black and white.
        resolution: Long side really captured, pixels.
        jpeg: JPEG quality.
    """

    cover: Range
    p_detail: float
    detail: Range
    tilt: float
    roll: float
    p_quarter_turn: float
    bend: float
    p_frame: float
    p_neighbours: float
    exposure: float
    white_balance: float
    gamma: float
    saturation: float
    falloff: float
    p_shadow: float
    p_glare: float
    p_reflection: float
    reflection: Range
    p_occlusion: float
    occlusion: Range
    p_overlay: float
    defocus: float
    motion: float
    noise: float
    p_moire: float
    p_grey: float
    resolution: Range
    jpeg: Range


_MILD = Limits(
    cover=(0.7, 1.0),
    p_detail=0.1,
    detail=(0.7, 0.95),
    tilt=10,
    roll=3,
    p_quarter_turn=0,
    bend=0,
    p_frame=0.4,
    p_neighbours=0.2,
    exposure=0.3,
    white_balance=0.05,
    gamma=0.1,
    saturation=0.1,
    falloff=0.15,
    p_shadow=0.05,
    p_glare=0.1,
    p_reflection=0.05,
    reflection=(0.05, 0.1),
    p_occlusion=0.03,
    occlusion=(0.02, 0.06),
    p_overlay=0.03,
    defocus=0.7,
    motion=1.5,
    noise=3,
    p_moire=0.03,
    p_grey=0,
    resolution=(560, 640),
    jpeg=(70, 95),
)

_MEDIUM = Limits(
    cover=(0.45, 0.95),
    p_detail=0.25,
    detail=(0.45, 0.9),
    tilt=25,
    roll=8,
    p_quarter_turn=0.02,
    bend=0.006,
    p_frame=0.6,
    p_neighbours=0.4,
    exposure=0.7,
    white_balance=0.15,
    gamma=0.25,
    saturation=0.3,
    falloff=0.35,
    p_shadow=0.2,
    p_glare=0.35,
    p_reflection=0.2,
    reflection=(0.05, 0.2),
    p_occlusion=0.2,
    occlusion=(0.03, 0.12),
    p_overlay=0.1,
    defocus=1.6,
    motion=5,
    noise=9,
    p_moire=0.12,
    p_grey=0.01,
    resolution=(360, 640),
    jpeg=(40, 85),
)

_HARD = Limits(
    cover=(0.25, 0.8),
    p_detail=0.35,
    detail=(0.3, 0.8),
    tilt=45,
    roll=18,
    p_quarter_turn=0.04,
    bend=0.02,
    p_frame=0.7,
    p_neighbours=0.6,
    exposure=1.2,
    white_balance=0.3,
    gamma=0.45,
    saturation=0.55,
    falloff=0.6,
    p_shadow=0.4,
    p_glare=0.65,
    p_reflection=0.4,
    reflection=(0.1, 0.35),
    p_occlusion=0.4,
    occlusion=(0.05, 0.3),
    p_overlay=0.15,
    defocus=3,
    motion=12,
    noise=20,
    p_moire=0.2,
    p_grey=0.03,
    resolution=(200, 640),
    jpeg=(15, 60),
)

_HAND_HELD = Limits(
    cover=(0.45, 0.9),
    p_detail=0.1,
    detail=(0.6, 0.95),
    tilt=35,
    roll=90,
    p_quarter_turn=0.2,
    bend=0.006,
    p_frame=0.3,
    p_neighbours=0.3,
    exposure=0.8,
    white_balance=0.2,
    gamma=0.3,
    saturation=0.35,
    falloff=0.45,
    p_shadow=0.25,
    p_glare=0.5,
    p_reflection=0.3,
    reflection=(0.05, 0.25),
    p_occlusion=0.3,
    occlusion=(0.03, 0.15),
    p_overlay=0.02,
    defocus=2,
    motion=6,
    noise=12,
    p_moire=0.02,
    p_grey=0,
    resolution=(320, 640),
    jpeg=(30, 85),
)

LIMITS: dict[int, Limits] = {1: _MILD, 2: _MEDIUM, 3: _HARD, 4: _HAND_HELD}
"""Limits by severity: 1 mild, 2 medium, 3 hard, 4 hand-held at any angle."""
