"""Charts of the lessons as SVG that needs no script: readable in print, dark and light."""

import math
from html import escape

from miner.learn.steps import Axis, Bars, Mark

WIDTH = 720
ROW = 22
LABEL = 170  # px kept for a bar's label
VALUE = 150  # px kept for its figure
TEXT = 13
AXIS_LEFT, AXIS_WIDTH = 30, 660
GLYPH = {"fixed": "fixed", "own": "own", "found": "found", "missed": "missed"}


def bars(item: Bars) -> str:
    """A horizontal bar chart; a vertical stroke marks what theory expects."""
    most = max((*item.values, *(item.expected or ()), 1e-300))
    room = WIDTH - LABEL - VALUE
    rows = []
    for place, (label, value) in enumerate(zip(item.labels, item.values, strict=True)):
        y = place * ROW
        length = room * value / most
        rows.append(
            f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>'
            f'<rect class="bar" x="{LABEL}" y="{y + 3}" width="{length:.1f}" height="{ROW - 6}"/>'
        )
        figure = f"{value:.4g}"
        if item.expected is not None:
            spot = LABEL + room * item.expected[place] / most
            rows.append(f'<path class="theory" d="M{spot:.1f} {y}v{ROW}"/>')
            figure += f" (expected {item.expected[place]:.4g})"
        rows.append(f'<text x="{LABEL + room + 8}" y="{y + 15}">{figure}</text>')
    return _figure(rows, len(item.values) * ROW, f"{item.title}, in {item.unit}", _bars_alt(item))


def _bars_alt(item: Bars) -> str:
    pairs = ", ".join(f"{a} {b:.4g}" for a, b in zip(item.labels, item.values, strict=True))
    return f"{item.title}: {pairs}"


def axis(item: Axis) -> str:
    """Points on one line; labels are stacked below it, each with a leader."""
    values = [_place(mark, item.log) for mark in item.marks]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    drawn = [f'<path class="line" d="M{AXIS_LEFT} 20h{AXIS_WIDTH}"/>']
    named = sorted((mark for mark in item.marks if mark.label), key=lambda mark: mark.value)
    for mark in item.marks:
        x = AXIS_LEFT + AXIS_WIDTH * (_place(mark, item.log) - low) / span
        radius = 2 if mark.kind == "missed" else 6
        drawn.append(f'<circle class="{GLYPH[mark.kind]}" cx="{x:.1f}" cy="20" r="{radius}"/>')
    for row, mark in enumerate(reversed(named)):
        x = AXIS_LEFT + AXIS_WIDTH * (_place(mark, item.log) - low) / span
        y = 48 + ROW * row
        anchor = "end" if x > WIDTH / 2 else "start"
        shift = -8 if anchor == "end" else 8
        drawn.append(f'<path class="leader" d="M{x:.1f} 26V{y - 4}"/>')
        drawn.append(
            f'<text x="{x + shift:.1f}" y="{y}" text-anchor="{anchor}">'
            f"{escape(mark.label)}: {mark.value:.4g}</text>"
        )
    kind = "logarithmic" if item.log else "linear"
    title = f"{item.title} ({item.unit}, {kind})"
    alt = f"{item.title}: " + ", ".join(f"{mark.label} {mark.value:.4g}" for mark in named)
    return _figure(drawn, 48 + ROW * len(named), title, alt)


def _place(mark: Mark, log: bool) -> float:
    return math.log10(mark.value) if log else mark.value


def _figure(parts: list[str], height: int, title: str, alt: str) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {height + 6}" '
        f'role="img" aria-label="{escape(alt, quote=True)}" font-size="{TEXT}">'
        f"{''.join(parts)}</svg></figure>"
    )
