"""What `arthur engines tune` measured, as SVG: throughput against latency, one curve for each setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log10
from xml.sax.saxutils import escape

from arthur.encode.sweep import Point, Setting

_WIDTH, _HEIGHT, _MARGIN, _LEGEND = 620, 360, 56, 18
_COLUMNS = 8
_COLOURS = ("#1463a5", "#c2410c", "#15803d", "#7e22ce", "#b45309", "#0e7490", "#be123c", "#4d7c0f")
_DASHES = ("", "6 3", "2 3")
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.frame{fill:none;stroke:#999}.goal{stroke:#b00;stroke-dasharray:4 4}"
)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Turns pictures a second (linear) and milliseconds (logarithmic) into places on the drawing."""

    most_per_s: float
    least_ms: float
    most_ms: float

    def x(self, per_s: float) -> float:
        return _MARGIN + _WIDTH * per_s / self.most_per_s

    def y(self, milliseconds: float) -> float:
        clipped = min(max(milliseconds, self.least_ms), self.most_ms)
        share = log10(clipped / self.least_ms) / log10(self.most_ms / self.least_ms)
        return _MARGIN + _HEIGHT * (1 - share)


def tuning_svg(points: Sequence[Point], best: Point, goal_ms: float, name: str) -> str:
    """Return a plot of the 95th percentile of latency over throughput; bars reach from the least to the most."""
    finite = [point.p95_ms.median for point in points if point.p95_ms.median < inf]
    scale = _Scale(
        1.05 * max(point.per_s.most for point in points),
        0.5 * min([*finite, goal_ms]),
        2.0 * max([*finite, goal_ms]),
    )
    settings = sorted({point.setting for point in points})
    curves = "".join(_curve(scale, points, setting, place) for place, setting in enumerate(settings))
    legend = "".join(_entry(setting, place) for place, setting in enumerate(settings))
    width, height = _WIDTH + 2 * _MARGIN, _HEIGHT + 2 * _MARGIN + _LEGEND * (len(settings) + 1)
    ring = (
        f'<circle cx="{scale.x(best.per_s.median):.1f}" cy="{scale.y(best.p95_ms.median):.1f}" r="9" '
        'fill="none" stroke="#b00" stroke-width="2"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>{escape(name)}</title><style>{_STYLE}</style>"
        f'<rect width="{width}" height="{height}" fill="#fff"/>{_axes(scale, goal_ms)}{curves}{ring}{legend}'
        f'<text x="{_MARGIN}" y="{_MARGIN - 18}">{escape(name)}: pictures that come at random, one at a time; '
        "ringed: chosen</text></svg>\n"
    )


def _curve(scale: _Scale, points: Sequence[Point], setting: Setting, place: int) -> str:
    """Draw the loads that one setting was put under."""
    own = sorted((point for point in points if point.setting == setting), key=lambda point: point.share)
    path = "M" + " L".join(f"{scale.x(one.per_s.median):.1f},{scale.y(one.p95_ms.median):.1f}" for one in own)
    bars = "".join(
        f'<path d="M{scale.x(one.per_s.median):.1f},{scale.y(one.p95_ms.least):.1f} V{scale.y(one.p95_ms.most):.1f}" '
        f'{_stroke(place)} stroke-opacity=".4"/>'
        for one in own
    )
    return f'<path d="{path}" fill="none" {_stroke(place)} stroke-width="2"/>{bars}'


def _entry(setting: Setting, place: int) -> str:
    """Draw one line of the legend."""
    y = _HEIGHT + 2 * _MARGIN + _LEGEND * place
    words = (
        f"{setting.graph.precision}, threads {setting.graph.threads}, streams {setting.streams}, "
        f"batch {setting.batch_max}, "
        f"wait {setting.wait_ms:g} ms"
    )
    line = f'<path d="M{_MARGIN},{y - 4} h28" {_stroke(place)} stroke-width="2"/>'
    return f'{line}<text x="{_MARGIN + 36}" y="{y}">{words}</text>'


def _stroke(place: int) -> str:
    dashes = _DASHES[place // len(_COLOURS) % len(_DASHES)]
    return f'stroke="{_COLOURS[place % len(_COLOURS)]}"' + (f' stroke-dasharray="{dashes}"' if dashes else "")


def _axes(scale: _Scale, goal_ms: float) -> str:
    """Draw the frame, the goal, and the scales."""
    left, bottom = _MARGIN, _MARGIN + _HEIGHT
    decades = [10.0**power * digit for power in range(-2, 6) for digit in (1, 2, 5)]
    step = next((value for value in decades if scale.most_per_s / value <= _COLUMNS), decades[-1])
    rows = "".join(
        f'<text x="{left - 6}" y="{scale.y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        for value in decades
        if scale.least_ms <= value <= scale.most_ms
    )
    columns = "".join(
        f'<text x="{scale.x(value):.1f}" y="{bottom + 16}" text-anchor="middle">{value:.3g}</text>'
        for value in (step * part for part in range(int(scale.most_per_s / step) + 1))
    )
    goal = scale.y(goal_ms)
    return (
        f'<rect class="frame" x="{left}" y="{_MARGIN}" width="{_WIDTH}" height="{_HEIGHT}"/>{rows}{columns}'
        f'<path class="goal" d="M{left},{goal:.1f} h{_WIDTH}"/>'
        f'<text x="{left + _WIDTH}" y="{goal - 5:.1f}" text-anchor="end">goal {goal_ms:g} ms</text>'
        f'<text x="{left + _WIDTH / 2}" y="{bottom + 34}" text-anchor="middle">pictures a second</text>'
        f'<text transform="translate({left - 40},{_MARGIN + _HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
        "95th percentile of latency, ms</text>"
    )
