"""Pictures: eras, thread scaling, stability, waffle, the two gaps. Needs the extra `plots`.

Colours are Okabe and Ito's (2008), told apart by colour-blind readers; shape repeats the meaning.
Drawn 8 inches wide, so that 150 dots per inch give 1200 pixels.
"""

import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from miner import units
from miner.errors import ConfigError
from miner.gap.arithmetic import Own, best
from miner.gap.hardware import BOUNDARY_SENTENCE, HardwareRow
from miner.gap.twogaps import AI, GIVEN, MEASURED, MINING, QUOTED, Bar
from miner.measure.result import CaseResult, Result

INK = "#1a1a1b"  # text and own points; the page swaps it for its own text colour
SOFT = "#8c8c8d"  # grid, readable on white and on black
KIND_STYLE = {
    "cpu": ("#0072B2", "o", "CPU, microcontroller"),
    "gpu": ("#E69F00", "s", "GPU"),
    "fpga": ("#009E73", "^", "FPGA"),
    "asic": ("#D55E00", "D", "ASIC (hall)"),
    "home-asic": ("#CC79A7", "v", "ASIC (home)"),
}
LINES = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9")
DPI = 150
BAR_STYLE: dict[str, dict[str, Any]] = {
    MEASURED: {"alpha": 1.0},
    GIVEN: {"alpha": 0.4},
    QUOTED: {"alpha": 0.55, "hatch": "///"},
}
MOST_STRIPS = 6  # cases in the stability picture
RC: Any = {
    "font.size": 11,
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


def _picture(height: float) -> Picture:
    return Picture(figsize=(8, height), layout="constrained", facecolor="white")


def _rate_tick(value: float, _: int) -> str:
    """1 MH/s, 2.5 MH/s: no zeros that say nothing."""
    number, unit = units.si(value, "H/s", 3).split(" ")
    return f"{float(number):g} {unit}"


def eras(own: Own, table: list[HardwareRow]) -> Picture:
    """Hashrate and joules per terahash of every row since 2009 against year, own point marked."""
    picture = _picture(10)
    top, bottom = picture.subplots(2, 1, sharex=True)
    rows = [row for row in table if row.year >= 2008.4 and row.hashrate_hs > 100]
    year = int(own.measured[:4]) + (int(own.measured[5:7]) - 0.5) / 12
    _scatter(top, rows, lambda row: row.hashrate_hs, below=True)
    _scatter(bottom, rows, lambda row: row.j_per_th, below=False)
    top.yaxis.set_major_formatter(FuncFormatter(_rate_tick))
    _own_point(top, year, own.rate_hs, f"this computer\n{units.rate(own.rate_hs)}")
    if own.j_per_th is not None:
        text = f"this computer\n{units.energy(own.j_per_th)} ({own.boundary})"
        _own_point(bottom, year, own.j_per_th, text)
    else:
        bottom.text(0.02, 0.04, "this computer: no joules measured; give --watts",
                    transform=bottom.transAxes)  # fmt: skip
    top.set_title("What one machine hashes, 2009 to today")
    top.set_ylabel("hashrate of one machine, H/s (log)")
    bottom.set_title("What a hash costs: lower is better")
    bottom.set_ylabel("energy, J/TH = joules per 10$^{12}$ hashes (log)")
    bottom.set_xlabel("year of first shipment or measurement")
    bottom.set_xlim(2008, max(year, 2026.9) + 1)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    top.legend(loc="upper left", ncols=2)
    picture.supxlabel(_fold(
        "Filled: maker's or published figure; hollow: weak or estimated. " + BOUNDARY_SENTENCE
    ), fontsize=8.5, x=0.02, ha="left")  # fmt: skip
    return picture


BESIDE, OFF = (9, -4), (0, 0)
NAMED = {  # a few rows everybody knows, and where the name stands: beside or off the line
    "Radeon HD 7970": ("HD 7970", BESIDE),
    "Avalon Batch 1": ("Avalon 1", OFF),
    "Antminer S9": ("S9", OFF),
    "Antminer S19 Pro": ("S19 Pro", OFF),
    "Antminer S23 XP Hyd": ("S23 XP", OFF),
    "Arduino Pro Micro (ATmega32U4, AVR assembly)": ("Arduino", BESIDE),
    "GeForce GT 1030": ("GT 1030", BESIDE),
}


def _scatter(
    axes: Any, rows: list[HardwareRow], value: Callable[[HardwareRow], float | None], below: bool
) -> None:
    """Rows by kind; a few well-known names stand below or above their points."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=9))
    axes.yaxis.set_minor_formatter(NullFormatter())
    for row in rows:
        if row.name in NAMED and (found := value(row)):
            name, place = NAMED[row.name]
            off = (0, -17 if below else 11)
            axes.annotate(name, (row.year, found), fontsize=8.5, textcoords="offset points",
                          xytext=place if place == BESIDE else off,
                          ha="left" if place == BESIDE else "center")  # fmt: skip
    for kind, (colour, marker, label) in KIND_STYLE.items():
        for weak in (False, True):
            points = [
                (row.year, found)
                for row in rows
                if row.kind == kind and (row.confidence == "W") == weak and (found := value(row))
            ]
            if points:
                axes.scatter(*zip(*points, strict=True), marker=marker, s=34, edgecolors=colour,
                             facecolors="none" if weak else colour, linewidths=1.3,
                             label=None if weak else label, zorder=3)  # fmt: skip


def _own_point(axes: Any, year: float, value: float, text: str) -> None:
    axes.scatter([year], [value], marker="*", s=320, color=INK, zorder=5)
    axes.annotate(text, (year, value), xytext=(6, 14), textcoords="offset points", ha="right",
                  va="bottom", fontweight="bold", zorder=6)  # fmt: skip


def scaling(result: Result) -> Picture | None:
    """Rate against threads with the ideal line; None unless a backend ran with two counts."""
    groups: dict[str, list[CaseResult]] = {}
    for case in result.cases:
        if case.gate.passed and case.slices and case.batch == "cpu":
            groups.setdefault(f"{case.name} v{case.versions}", []).append(case)
    groups = {name: cases for name, cases in groups.items() if len(cases) > 1}
    if not groups:
        return None
    picture = _picture(5)
    axes = picture.subplots()
    for (name, found), colour in zip(groups.items(), LINES, strict=False):
        found.sort(key=lambda case: case.threads)
        threads = [case.threads for case in found]
        summaries = [case.summary(result.seed) for case in found]
        rates = [one.median for one in summaries if one]
        axes.plot(threads, [rates[0] / threads[0] * n for n in threads], "--", color=SOFT)
        edges = [one.ci95 or (one.median, one.median) for one in summaries if one]
        below = [rate - low for rate, (low, _) in zip(rates, edges, strict=True)]
        above = [high - rate for rate, (_, high) in zip(rates, edges, strict=True)]
        error = [below, above]
        axes.errorbar(threads, rates, yerr=error, marker="o", color=colour, label=name, capsize=4)
    axes.plot([], [], "--", color=SOFT, label="ideal: n times one thread")
    axes.set_title("Thread scaling")
    axes.set_xlabel("threads")
    axes.set_ylabel("hashrate, H/s (median, 95 % interval)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(_rate_tick))
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    return picture


def stability(result: Result) -> Picture | None:
    """Rate of each slice over time, a strip for each of the fastest cases; None without slices."""
    ran = [case for case in result.cases if case.gate.passed and len(case.slices) > 1]
    ran.sort(key=lambda case: -max(case.rates()))
    found = ran[:MOST_STRIPS]
    if not found:
        return None
    heat = any(one.temperature_c for case in found for one in case.slices)
    strips = len(found) + heat
    picture = _picture(1.4 + 1.7 * strips if strips > 1 else 4.0)
    panels = picture.subplots(strips, 1, sharex=True, squeeze=False)[:, 0]
    for axes, case, colour in zip(panels, found, LINES, strict=False):
        _strip(axes, case, result.seed, colour)
    if heat:
        for case, colour in zip(found, LINES, strict=False):
            panels[-1].plot(_times(case), [one.temperature_c for one in case.slices], color=colour)
        panels[-1].set_ylabel("CPU, °C")
    panels[-1].set_xlabel("time since the first slice, s")
    title = "Stability: every slice of about a second; band = 95 % interval of the median"
    picture.suptitle(title, x=0.02, ha="left", fontsize=13)
    return picture


def _strip(axes: Any, case: CaseResult, seed: int, colour: str) -> None:
    summary = case.summary(seed)
    assert summary is not None  # the gate has passed and there are slices
    percent = [100 * rate / summary.median for rate in case.rates()]
    axes.plot(_times(case), percent, marker="o", ms=3.5, lw=1, color=colour)
    if summary.ci95:
        low, high = (100 * edge / summary.median for edge in summary.ci95)
        axes.axhspan(low, high, color=colour, alpha=0.18)
    reach = max(2.0, *(abs(one - 100) for one in percent)) * 1.15
    axes.set_ylim(100 - reach, 100 + reach)  # 2 % fill a strip: noise below that stays small
    axes.set_ylabel("rate, % of\nmedian", fontsize=9)
    text = f"{case.label}: {units.rate(summary.median)}, {case.trust().word}"
    axes.set_title(text, fontsize=10)


def _times(case: CaseResult) -> list[float]:
    return [float(i) if one.at_s is None else one.at_s for i, one in enumerate(case.slices)]


def waffle(own: Own, table: list[HardwareRow]) -> Picture:
    """One ASIC as N of this computer: grids of 100 squares, each square the grid before."""
    asic = best(table, "asic")
    count = max(asic.hashrate_hs / own.rate_hs, 1.0)
    grids = max(1, math.ceil(math.log(count, 100) - 1e-9))
    picture = _picture(3.0)
    axes = picture.subplots(1, max(grids, 4), squeeze=False)[0]
    for spare in axes[grids:]:
        spare.axis("off")
    for index in range(grids):
        unit = 100**index
        _grid(axes[index], min(100.0, count / unit), LINES[0] if index == 0 else LINES[1])
        bigger = f"the grid before:\n{units.many(unit)} computers"
        name = bigger if index else "this computer"
        axes[index].set_xlabel(f"1 square =\n{name}", fontsize=9)
    picture.suptitle(
        f"One {asic.name} ({asic.released}) hashes like {units.many(count)} of this computer",
        x=0.02, ha="left", fontsize=13,
    )  # fmt: skip
    return picture


def _grid(axes: Any, filled: float, colour: str) -> None:
    for cell in range(100):
        part = min(max(filled - cell, 0.0), 1.0)
        x, y = cell % 10, 9 - cell // 10
        axes.add_patch(mpl.patches.Rectangle((x, y), 0.86, 0.86, fc="none", ec=SOFT, lw=0.6))
        if part:
            axes.add_patch(mpl.patches.Rectangle((x, y), 0.86 * part, 0.86, fc=colour, ec="none"))
    axes.set(xlim=(-0.2, 10), ylim=(-0.2, 10), xticks=[], yticks=[], aspect="equal")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def two_gaps(found: list[Bar]) -> Picture:
    """Both gaps on one log axis; solid = measured here, hatched = quoted."""
    picture = _picture(1.6 + 0.42 * len(found))
    axes = picture.subplots()
    order = [bar for group in (AI, MINING) for bar in reversed(found) if bar.group == group]
    edge = sum(bar.group == AI for bar in order) - 0.5
    colours = {MINING: "#D55E00", AI: "#0072B2"}
    for index, bar in enumerate(order):
        style = BAR_STYLE[bar.origin]
        axes.barh(index, bar.ratio - 1, left=1, height=0.66, color=colours[bar.group],
                  edgecolor="white", **style)  # fmt: skip
        axes.text(bar.ratio * 1.2, index, f"{bar.factor} {bar.quantity}", va="center", fontsize=9)
    axes.set_yticks(range(len(order)), [f"{bar.label} [{bar.origin}]" for bar in order], fontsize=9)
    axes.axhline(edge, color=INK, lw=0.8)
    axes.text(0.99, edge + 0.12, MINING, transform=axes.get_yaxis_transform(), ha="right",
              va="bottom", fontweight="bold", color=colours[MINING])  # fmt: skip
    axes.text(0.99, -0.3, AI, transform=axes.get_yaxis_transform(), ha="right",
              va="bottom", fontweight="bold", color=colours[AI])  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(1, max(bar.ratio for bar in order) * 3000)
    axes.set_xlabel("best hall machine ÷ home machine (log; 1 = no gap)")
    title = "Two gaps, hall over home. Solid: measured here; pale: given; hatched: quoted"
    picture.suptitle(title, x=0.02, ha="left", fontsize=12.5)
    axes.grid(visible=False, axis="y")
    return picture


def _fold(text: str, width: int = 118) -> str:
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def draw(
    result: Result, own: Own, table: list[HardwareRow], found: list[Bar]
) -> dict[str, Picture]:
    """Every picture that has data, by short name, in reading order."""
    with mpl.rc_context(RC):
        made = {
            "eras": eras(own, table),
            "scaling": scaling(result),
            "stability": stability(result),
            "waffle": waffle(own, table),
            "two-gaps": two_gaps(found),
        }
    return {name: picture for name, picture in made.items() if picture is not None}


def save(pictures: dict[str, Picture], path: Path) -> list[Path]:
    """The first under the given name, the others with theirs added. PNG or SVG by suffix."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise ConfigError(f"--plot {path}: the name must end in .png or .svg")
    written = []
    for index, (name, picture) in enumerate(pictures.items()):
        file = path if index == 0 else path.with_name(f"{path.stem}-{name}{path.suffix}")
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
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'id="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(xlink:href="|url\()#', rf"\1#{name}-", svg)
    head, _, body = svg.partition(">")
    box = re.search(r'viewBox="[^"]+"', head)
    assert box is not None  # matplotlib always writes one
    names = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg"'
    return f'<svg {names} role="img" aria-label="{description}" {box[0]}>{body}'
