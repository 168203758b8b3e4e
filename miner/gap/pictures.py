"""The article in four pictures: from home to hall, what a hash costs, where it pays, the other way.

Labels stand at their marks, no legend; log axes; the own point has its interval. Each picture is
drawn broad and narrow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure as Picture
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from miner import units
from miner.gap import drawing
from miner.gap.arithmetic import Network, Own, break_even
from miner.gap.collection import Entry
from miner.gap.drawing import BLUE, BROAD, GREEN, INK, ORANGE, PINK, RED, SOFT
from miner.gap.hardware import BOUNDARY_SENTENCE, HardwareRow
from miner.gap.payback import MACHINES, dollar_tariffs
from miner.gap.twogaps import AI, GIVEN, MEASURED, MINING, QUOTED, Bar

KIND_STYLE = {
    "cpu": (BLUE, "o"),
    "gpu": (ORANGE, "s"),
    "fpga": (GREEN, "^"),
    "asic": (RED, "D"),
    "home-asic": (PINK, "v"),
}
FIRST_YEAR = 2008.8


@dataclass(frozen=True, slots=True)
class Mark:
    """A name at a machine's mark; offsets in points."""

    row: str
    text: str
    right: float
    up: float
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Group:
    """What a cloud of marks is, written beside it in its colour."""

    kind: str
    text: str
    year: float
    value: float


RATE_MARKS = (
    Mark("Patoshi's 2009 PC (estimate)", "Patoshi's PC", -9, 18),
    Mark("Desktop PC on a power meter (2010)", "PC of 2010", 7, -11),
    Mark("Radeon HD 6990", "HD 6990", 0, 7, "center"),
    Mark("GeForce GTX 1060 6 GB", "GTX 1060", -7, 5, "right"),
    Mark("Apple M4 GPU (MacBook Pro)", "M4 GPU", -7, 0, "right"),
    Mark("Apple M4 CPU (MacBook Pro)", "M4 CPU", -7, -5, "right"),
    Mark("Avalon Batch 1", "Avalon 1", 7, -7),
    Mark("Antminer S9", "S9", -6, 4, "right"),
    Mark("Antminer S19 Pro", "S19 Pro", 4, -15),
    Mark("Antminer S23 Hyd 3U", "S23 3U", -7, 3, "right"),
    Mark("Bitaxe Gamma 601 (BM1370)", "Bitaxe Gamma", -7, -4, "right"),
    Mark("Avalon Q", "Avalon Q", 7, -3),
)
RATE_GROUPS = (
    Group("cpu", "CPUs", 2011.2, 2.0e5),
    Group("gpu", "graphics cards", 2012.4, 5.0e7),
    Group("fpga", "FPGAs", 2009.2, 1.9e10),
    Group("asic", "ASICs in halls", 2012.6, 2.6e14),
    Group("home-asic", "ASICs for the home", 2017.0, 2.0e10),
)
COST_MARKS = (
    Mark("Desktop PC on a power meter (2010)", "PC of 2010", 7, -4),
    Mark("Core 2 Duo E6300 1.86 GHz", "Core 2", 7, 2),
    Mark("Radeon HD 7970", "HD 7970", 7, 2),
    Mark("GeForce GTX 1060 6 GB", "GTX 1060", 7, -3),
    Mark("X6500 FPGA Miner", "X6500", -7, -9, "right"),
    Mark("Avalon Batch 1", "Avalon 1", -7, -9, "right"),
    Mark("Antminer S1", "S1", 7, 2),
    Mark("Antminer S9", "S9", -6, -10, "right"),
    Mark("Antminer S19 Pro", "S19 Pro", 0, -15, "center"),
    Mark("Antminer S23 XP Hyd", "S23 XP: 8.9", 0, -15, "center"),
)
COST_GROUPS = (
    Group("cpu", "CPUs", 2011.0, 1.2e7),
    Group("gpu", "graphics cards", 2013.0, 8e5),
    Group("fpga", "FPGAs", 2012.7, 7e4),
    Group("asic", "ASICs in halls", 2015.6, 2.6e3),
    Group("home-asic", "ASICs for the home", 2021.4, 8.5e1),
)


def rates(
    own: Own, table: list[HardwareRow], proven: Sequence[Entry] = (), width: float = BROAD
) -> Picture:
    """What one machine hashes, 2009 to today."""
    made = drawing.picture(width, 5.6)
    axes = made.subplots()
    _scatter(axes, table, lambda row: row.hashrate_hs, RATE_MARKS, RATE_GROUPS)
    for one in proven:
        axes.scatter([_year(one.result.created)], [one.rate_hs], marker="*", s=90,
                     facecolors="none", edgecolors=BLUE, zorder=4)  # fmt: skip
    _own_point(
        axes, own, own.rate_hs, own.ci95, f"this computer\n{units.rate(own.rate_hs)}", up=False
    )
    axes.yaxis.set_major_formatter(FuncFormatter(drawing.rate_tick))
    axes.set_ylabel("hashrate of one machine, H/s (log)")
    axes.set_ylim(5e4, 8e15)
    drawing.title(made, "From home to hall: what one machine hashes")
    drawing.footnote(made, "Hollow marks: weak or estimated. Hollow stars: measured homes of the "
                     "collection, proven by their shares. Year: first shipment, or measurement "
                     "where no shipment is known.")  # fmt: skip
    return made


def costs(own: Own, table: list[HardwareRow], width: float = BROAD) -> Picture:
    """What a hash costs in energy, 2009 to today."""
    made = drawing.picture(width, 5.6)
    axes = made.subplots()
    _scatter(axes, table, lambda row: row.j_per_th, COST_MARKS, COST_GROUPS)
    remark = "What watts cover differs. " + BOUNDARY_SENTENCE
    if own.j_per_th is not None:
        text = f"this computer, {own.boundary}\n{units.energy(own.j_per_th)}"
        if own.given:
            text += "\nwatts given"
        _own_point(axes, own, own.j_per_th, own.j_ci95, text, pale=own.given)
        remark += f" {own.missing}" if own.missing else ""
    else:
        remark += " This computer: no joules measured; give --watts from a wall meter."
    axes.set_ylabel("energy, J/TH = joules per 10$^{12}$ hashes (log)")
    axes.set_ylim(3, 5e8)
    drawing.title(made, "What a hash costs: every step down is energy saved")
    drawing.footnote(made, remark)
    return made


def _scatter(
    axes: Any, table: list[HardwareRow], value: Callable[[HardwareRow], float | None],
    marks: Sequence[Mark], groups: Sequence[Group],
) -> None:  # fmt: skip
    """Rows by kind since 2009, names at some marks, each kind named beside its cloud."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=9))
    axes.yaxis.set_minor_formatter(NullFormatter())
    rows = [row for row in table if row.year >= FIRST_YEAR]
    for kind, (colour, marker) in KIND_STYLE.items():
        for weak in (False, True):
            points = [
                (row.year, found)
                for row in rows
                if row.kind == kind and (row.confidence == "W") == weak and (found := value(row))
            ]
            if points:
                axes.scatter(*zip(*points, strict=True), marker=marker, s=22, edgecolors=colour,
                             facecolors="none" if weak else colour, linewidths=1.1,
                             zorder=3)  # fmt: skip
    by_name = {row.name: row for row in rows}
    for mark in marks:
        if mark.row in by_name and (found := value(by_name[mark.row])):
            axes.annotate(mark.text, (by_name[mark.row].year, found), fontsize=8.5,
                          xytext=(mark.right, mark.up), textcoords="offset points",
                          ha=mark.align)  # fmt: skip
    for group in groups:
        axes.text(group.year, group.value, group.text, color=KIND_STYLE[group.kind][0],
                  fontsize=10, fontweight="bold")  # fmt: skip
    axes.set_xlim(FIRST_YEAR, 2027.9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
    axes.set_xlabel("year")


def _year(created: str) -> float:
    return int(created[:4]) + (int(created[5:7]) - 0.5) / 12


def _own_point(
    axes: Any, own: Own, value: float, ci95: tuple[float, float] | None, text: str,
    pale: bool = False, up: bool = True,
) -> None:  # fmt: skip
    year = _year(own.measured)
    face = "none" if pale else INK
    axes.scatter([year], [value], marker="*", s=230, facecolors=face, edgecolors=INK, zorder=5)
    if ci95 is not None:
        low, high = ci95
        axes.errorbar([year], [value], yerr=[[max(value - low, 0)], [max(high - value, 0)]],
                      color=INK, capsize=4, lw=1.4, zorder=6)  # fmt: skip
    axes.annotate(text, (year, value), xytext=(5, 11 if up else -11), ha="right",
                  textcoords="offset points", va="bottom" if up else "top",
                  fontweight="bold", fontsize=9.5, zorder=6)  # fmt: skip


def pays(own: Own, table: list[HardwareRow], network: Network, width: float = BROAD) -> Picture:
    """Break-even tariff of each machine as a dot: all of history, and the part where people live
    with the tariffs of regions as lines."""
    rows = _payers(own, table)
    near = [row for row in rows if break_even(row[1], network.hashprices[0].value) > NEAR]
    heights = [len(rows) + 0.6, len(near) + 5.6]
    made = drawing.picture(width, 1.5 + 0.26 * sum(heights))
    history, today = made.subplots(2, 1, height_ratios=heights)
    _pay_dots(history, rows, network)
    tariffs = dollar_tariffs(network)
    history.axvspan(tariffs[0][1].value, tariffs[-1][1].value, color=SOFT, alpha=0.25, lw=0)
    history.annotate("what people pay", (tariffs[0][1].value, 0), fontsize=9, ha="right",
                     va="center", xytext=(-6, 0), textcoords="offset points")  # fmt: skip
    history.set_xlim(right=1)
    _pay_dots(today, near, network, right=True)
    today.set_ylim(-0.7, len(near) + 5)
    today.set_xlim(NEAR, max(0.6, tariffs[-1][1].value * 1.4))
    for name, figure in tariffs:
        today.axvline(figure.value, color=SOFT, lw=1, zorder=1)
        today.annotate(f"{name} {figure.value:g}", (figure.value, len(near) + 4.9), rotation=90,
                       fontsize=8 if width >= BROAD else 7, ha="right", va="top")  # fmt: skip
    ticks = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    today.set_xticks(ticks, [f"{one:g}" for one in ticks])
    today.xaxis.set_minor_formatter(NullFormatter())
    today.set_xlabel("break-even tariff, USD/kWh (log)")
    prices = " to ".join(f"{price.value:g} ({price.as_of})" for price in network.hashprices)
    drawing.title(made, "Where it pays: where the tariff lies left of the machine's dot")
    drawing.footnote(
        made,
        "Dot: tariff at which electricity eats the whole income at a hashprice of "
        f"{network.hashprices[0].value:g} USD per PH/s and day, with fees; bar: hashprices {prices}"
        f". The machine itself is not paid for. {own.short_of} Tariffs in EUR and GBP stand in the "
        "table.",
    )
    return made


Payer = tuple[str, float, str, bool]  # label, J/TH, colour, counted or published (not given)


def _payers(own: Own, table: list[HardwareRow]) -> list[Payer]:
    """The machines of the picture, thirstiest first."""
    by_name = {row.name: row for row in table}
    found = [
        (label, row.j_per_th, KIND_STYLE[row.kind][0], True)
        for name, label in MACHINES
        if (row := by_name.get(name)) and row.j_per_th
    ]
    if own.j_per_th is not None:
        found.append((own.called, own.j_per_th, INK, not own.given))
    return sorted(found, key=lambda one: -one[1])


NEAR = 0.01  # USD/kWh: nobody pays less


def _pay_dots(
    axes: Any, rows: list[Payer], network: Network,
    right: bool = False,
) -> None:  # fmt: skip
    """A row a machine; hollow where the watts were only given."""
    axes.set_xscale("log")
    for place, (label, joules, colour, firm) in enumerate(rows):
        found = [break_even(joules, price.value) for price in network.hashprices]
        axes.plot([min(found), max(found)], [place, place], color=colour, lw=2)
        axes.scatter(found[:1], [place], edgecolors=colour, s=36, zorder=4,
                     facecolors=colour if firm else "none")  # fmt: skip
        after = right or found[0] < 1e-4
        axes.annotate(label, (found[0] if after else min(found), place), va="center",
                      xytext=(8 if after else -8, 0), textcoords="offset points",
                      ha="left" if after else "right", fontsize=9)  # fmt: skip
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def other_way(found: list[Bar], width: float = BROAD) -> Picture:
    """Mining's gap beside AI's: per joule beside per joule, per second beside per second."""
    joule = [bar for bar in found if bar.quantity == "per joule"]
    second = [bar for bar in found if bar.quantity in ("per second", "in tokens/s")]
    heights = [len(joule) + 1, len(second) + 1]
    made = drawing.picture(width, 1.7 + 0.31 * sum(heights))
    panels = made.subplots(2, 1, sharex=True, height_ratios=heights)
    for axes, bars, name in ((panels[0], joule, "per joule"), (panels[1], second, "per second")):
        order = [bar for group in (AI, MINING) for bar in bars if bar.group == group][::-1]
        for place, bar in enumerate(order):
            _gap_dot(axes, place, bar)
        axes.set_yticks(range(len(order)), [_short(bar, width) for bar in order], fontsize=8.5)
        axes.set_ylim(-0.7, len(order) - 0.3)
        axes.set_title(name, fontsize=10.5, fontweight="bold")
        axes.axvline(1, color=INK, lw=1)
    least = min(bar.low or bar.ratio for bar in joule + second)
    panels[1].set_xscale("log")
    panels[1].set_xlim(
        min(0.6, least / 2),
        max(bar.ratio for bar in joule + second) * (200 if width >= BROAD else 5000),
    )
    panels[1].set_xlabel("times better in a hall (log; 1 = no gap)")
    drawing.title(made, "The other way: mining left the home, AI may come back to it")
    drawing.footnote(made, "Orange: mining. Blue: AI. Full: measured here; pale: given by the "
                     "user; hollow: quoted. Left of 1 the home is ahead.")  # fmt: skip
    return made


def _short(bar: Bar, width: float) -> str:
    return drawing.fold(bar.label, 44 if width >= BROAD else 24)


def _gap_dot(axes: Any, place: int, bar: Bar) -> None:
    colour = {MINING: RED, AI: BLUE}[bar.group]
    face = {MEASURED: colour, GIVEN: colour, QUOTED: "none"}[bar.origin]
    alpha = 0.4 if bar.origin == GIVEN else 1.0
    if bar.low is not None:
        axes.plot([bar.low, bar.ratio], [place, place], color=colour, lw=1.5)
        axes.scatter([bar.low], [place], s=46, facecolors=face, edgecolors=colour, zorder=3)
    axes.scatter([bar.ratio], [place], s=46, facecolors=face, edgecolors=colour, alpha=alpha,
                 zorder=3)  # fmt: skip
    axes.annotate(bar.factor, (bar.ratio, place), xytext=(8, 0), textcoords="offset points",
                  va="center", fontsize=8.5)  # fmt: skip
