"""What every picture here shares: colours, sizes, ticks, files and inline SVG. Needs the extra
`plots`.

Colours are Okabe and Ito's (2008), told apart by colour-blind readers; shape repeats the meaning.
A broad picture is 8 inches wide, so that 150 dots per inch give 1200 pixels; a narrow one is for
phones, where the broad one's letters would be too small to read.
"""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Picture

from miner import units
from miner.errors import ConfigError

INK = "#1a1a1b"  # text and own points; the page swaps it for its own text colour
SOFT = "#8c8c8d"  # grid and side remarks, readable on white and on black
BLUE, ORANGE, GREEN, RED, PINK, SKY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9",
)  # fmt: skip
LINES = (BLUE, RED, GREEN, ORANGE, PINK, SKY)
DPI = 150
BROAD, NARROW = 8.0, 4.6  # inches
RC: Any = {
    "font.size": 10.5,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 13,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": SOFT,
    "grid.alpha": 0.35,
    "legend.frameon": False,
    "svg.fonttype": "path",  # looks alike everywhere; the page gives the text as a description
}


def picture(width: float, height: float) -> Picture:
    return Picture(figsize=(width, height), layout="constrained", facecolor="white")


def rate_tick(value: float, _: int) -> str:
    """1 MH/s, 2.5 MH/s: no zeros that say nothing."""
    number, unit = units.si(value, "H/s", 3).split(" ")
    return f"{float(number):g} {unit}"


def title(made: Picture, text: str) -> None:
    """One line or more above everything, at the left, folded to the picture's width."""
    width = float(made.get_size_inches()[0])
    made.suptitle(fold(text, int(width * 9.3)), x=0.02, ha="left", fontsize=12.5)


def footnote(made: Picture, text: str) -> None:
    width = float(made.get_size_inches()[0])
    made.supxlabel(fold(text, int(width * 14.5)), fontsize=8.5, x=0.02, ha="left")


def fold(text: str, width: int) -> str:
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def targets(names: Sequence[str], path: Path) -> list[Path]:
    """The files of these pictures: the first under the given name, the others with theirs added."""
    others = (path.with_name(f"{path.stem}-{name}{path.suffix}") for name in names[1:])
    return [path, *others]


def save(pictures: dict[str, Picture], path: Path) -> list[Path]:
    """Write pictures to their targets, as PNG or SVG by suffix. Raises ConfigError."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise ConfigError(f"--plot {path}: the name must end in .png or .svg")
    written = []
    for file, picture in zip(targets(list(pictures), path), pictures.values(), strict=True):
        try:
            with mpl.rc_context(RC):
                picture.savefig(file, dpi=DPI, metadata=_undated(path))
        except OSError as error:
            raise ConfigError(f"{file} cannot be written: {error}") from error
        written.append(file)
    return written


def _undated(path: Path) -> dict[str, Any] | None:
    return {"Date": None} if path.suffix.lower() == ".svg" else None


def inline_svg(name: str, picture: Picture, description: str) -> str:
    """An <svg> element for a page: transparent, text in the page's colour, ids of its own."""
    buffer = io.StringIO()
    with mpl.rc_context(RC | {"svg.hashsalt": name}):
        picture.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = svg.replace(BLUE.lower(), "var(--blue)")  # too dark on a dark page
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'id="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(xlink:href="|url\()#', rf"\1#{name}-", svg)
    head, _, body = svg.partition(">")
    box = re.search(r'viewBox="[^"]+"', head)
    assert box is not None  # matplotlib always writes one
    names = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg"'
    return f'<svg {names} role="img" aria-label="{description}" {box[0]}>{body}'
