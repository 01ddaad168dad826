"""The reliability curve as SVG: what was promised against what came true."""

from __future__ import annotations

from xml.sax.saxutils import escape

from arthur.calibration.calibrating import Reliability

SIDE, MARGIN = 360, 56
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}path,line{fill:none;stroke:#999}"
    ".curve{stroke:#1463a5;stroke-width:2}"
)


def reliability_svg(reliability: Reliability, title: str) -> str:
    """Return a plot of observed against predicted probability; the area of a dot is its number of photos."""
    points = [(_x(p), _y(o)) for p, o in zip(reliability.predicted, reliability.observed, strict=True)]
    most = max(reliability.counts, default=1)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + 9 * (count / most) ** 0.5:.1f}" fill="#1463a5" fill-opacity=".35">'
        f"<title>{count} photos</title></circle>"
        for (x, y), count in zip(points, reliability.counts, strict=True)
    )
    curve = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    whole = SIDE + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" role="img">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f'<rect width="{whole}" height="{whole}" fill="#fff"/>{_axes()}'
        f'<path class="curve" d="{curve}"/>{dots}'
        f'<text x="{MARGIN}" y="{MARGIN - 30}">{escape(title)}</text>'
        f'<text x="{MARGIN}" y="{MARGIN - 12}">calibration error {reliability.error:.3f}, false accepts '
        f"{reliability.false_accepts:.2%} of {reliability.unknown} unknown works</text></svg>\n"
    )


def _axes() -> str:
    """Draw the frame, the diagonal of honest promises, and the scales."""
    frame = f"M{_x(0)},{_y(0)} H{_x(1)} V{_y(1)} H{_x(0)} Z"
    marks = "".join(
        f'<text x="{_x(value)}" y="{_y(0) + 18}" text-anchor="middle">{value:g}</text>'
        f'<text x="{_x(0) - 8}" y="{_y(value) + 4}" text-anchor="end">{value:g}</text>'
        for value in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<path d="{frame}"/><line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke-dasharray="4 4"/>{marks}'
        f'<text x="{_x(0.5)}" y="{_y(0) + 38}" text-anchor="middle">predicted probability</text>'
        f'<text transform="translate({_x(0) - 38},{_y(0.5)}) rotate(-90)" text-anchor="middle">share right</text>'
    )


def _x(value: float) -> float:
    return MARGIN + SIDE * value


def _y(value: float) -> float:
    return MARGIN + SIDE * (1 - value)
