"""Charts of the lessons as SVG that needs no script: readable in print, on a phone, dark and light.

Drawn 400 wide with letters of 13, so that a phone's 390 pixels show them as large as its text.
"""

import math
import re
from html import escape

from miner.learn.steps import Axis, Bars, Mark

WIDTH = 400
ROW = 20
TEXT = 13
ROOM = 230  # px for the longest bar; its figure stands beside it
LEFT, LENGTH = 22, 356  # of an axis
TICKS = 5
LETTER = 7.4  # px, a wide one's width
RAISED = re.compile(r"(?<=\d)\^(-?\d+)(?![.,]?\d)")
SMALL = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
BIT, GAP = 10, 6  # px, of a bit's square with its space, and more after each byte


def raised(text: str) -> str:
    """10^14 with small digits: an SVG's text has no <sup>."""
    return RAISED.sub(lambda found: found[1].translate(SMALL), text)


def bars(item: Bars) -> str:
    """A horizontal bar chart, each label above its bar; a stroke marks what theory expects."""
    most = max((*item.values, *(item.expected or ()), 1e-300))
    rows = []
    for place, (label, value) in enumerate(zip(item.labels, item.values, strict=True)):
        y = 2 * ROW * place
        rows.append(
            f'<text x="0" y="{y + 15}">{escape(raised(label))}</text>'
            f'<rect class="bar" x="0" y="{y + 20}" width="{ROOM * value / most:.1f}" height="14"/>'
        )
        if item.expected is not None:
            spot = ROOM * item.expected[place] / most
            rows.append(f'<path class="theory" d="M{spot:.1f} {y + 17}v20"/>')
        rows.append(
            f'<text x="{ROOM + 8}" y="{y + 32}">{escape(raised(item.figures[place]))}</text>'
        )
    pairs = ", ".join(f"{a} {b}" for a, b in zip(item.labels, item.figures, strict=True))
    return _figure(
        rows, 2 * ROW * len(item.values), f"{item.title} ({item.unit})", f"{item.title}: {pairs}"
    )


def axis(item: Axis) -> str:
    """Points on one logarithmic line with powers of ten; labels are stacked below, with leaders."""
    logs = [math.log10(mark.value) for mark in item.marks]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    span = max(high - low, 1)

    def place(exponent: float) -> float:
        return LEFT + LENGTH * (exponent - low) / span

    drawn = [f'<path class="line" d="M{LEFT} 20h{LENGTH}"/>']
    for exponent in range(low, high + 1, max(-(-span // (TICKS - 1)), 1)):
        x = place(exponent)
        drawn.append(
            f'<path class="line" d="M{x:.1f} 20v8"/><text class="tick" x="{x:.1f}" y="42" '
            f'text-anchor="middle">10<tspan dy="-4" font-size="12">{exponent}</tspan></text>'
        )
    drawn += [_mark(mark, place(value)) for value, mark in zip(logs, item.marks, strict=True)]
    named = sorted((mark for mark in item.marks if mark.label), key=lambda mark: -mark.value)
    labels = []
    for row, mark in enumerate(named):
        x, y = place(math.log10(mark.value)), 66 + ROW * row
        text = f"{mark.label}: {mark.figure}"
        start = max(min(x + 6, WIDTH - LETTER * len(text)), 0)
        drawn.append(f'<path class="leader" d="M{x:.1f} 28V{y - 12}"/>')
        labels.append(f'<text class="label" x="{start:.1f}" y="{y}">{escape(raised(text))}</text>')
    alt = f"{item.title}: " + ", ".join(f"{mark.label} {mark.figure}" for mark in named)
    return _figure([*drawn, *labels], 66 + ROW * len(named), f"{item.title} ({item.unit})", alt)


def bits(row: str) -> str:
    """Bits written as # and dots, as squares: the same on a phone, on paper and without styles."""
    text = row.replace(" ", "")
    spots = [BIT * place + GAP * (place // 8) for place in range(len(text))]
    paths = (
        "".join(f"M{x} 0h9v10h-9z" for x, bit in zip(spots, text, strict=True) if bit == kind)
        for kind in ".#"
    )
    empty, full = paths
    return (
        f'<svg class="bits" viewBox="-1 -1 {spots[-1] + BIT + 2} 12" role="img" '
        f'aria-label="{int(text.replace("#", "1").replace(".", "0"), 2):0{len(text) // 4}x}">'
        f'<path fill="none" stroke="currentColor" opacity=".4" d="{empty}"/>'
        f'<path d="{full}"/></svg>'
    )


def _mark(mark: Mark, x: float) -> str:
    """Kinds differ by shape, not by colour alone: own is a square, found a triangle."""
    if mark.kind == "own":
        return f'<rect class="own" x="{x - 6:.1f}" y="14" width="12" height="12"/>'
    if mark.kind == "found":
        return f'<path class="found" d="M{x:.1f} 12l7 14h-14z"/>'
    radius = 2 if mark.kind == "missed" else 5
    return f'<circle class="{mark.kind}" cx="{x:.1f}" cy="20" r="{radius}"/>'


def _figure(parts: list[str], height: int, title: str, alt: str) -> str:
    return (
        f"<figure><figcaption>{escape(raised(title))}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height + 6}" role="img" font-size="{TEXT}" '
        f'aria-label="{escape(alt, quote=True)}">'
        f"{''.join(parts)}</svg></figure>"
    )
