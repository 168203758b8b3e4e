"""Pictures of one run: every slice over time, and what more threads bring."""

from typing import Any

from matplotlib.figure import Figure as Picture
from matplotlib.ticker import FuncFormatter, MaxNLocator

from miner import units
from miner.gap import drawing
from miner.measure.result import ON_CPU, CaseResult, Result

MOST_STRIPS = 6  # cases in the stability picture


def scaling(result: Result, width: float = drawing.BROAD) -> Picture | None:
    """Rate against threads with the ideal line; None unless a backend ran with two counts."""
    groups: dict[str, list[CaseResult]] = {}
    for case in result.cases:
        if case.gate.passed and case.slices and case.batch == ON_CPU:
            groups.setdefault(f"{case.name} v{case.versions}", []).append(case)
    groups = {name: cases for name, cases in groups.items() if len(cases) > 1}
    if not groups:
        return None
    picture = drawing.picture(width, 5)
    axes = picture.subplots()
    for (name, found), colour in zip(groups.items(), drawing.LINES, strict=False):
        found.sort(key=lambda case: case.threads)
        threads = [case.threads for case in found]
        summaries = [case.summary(result.seed) for case in found]
        rates = [one.median for one in summaries if one]
        axes.plot(threads, [rates[0] / threads[0] * n for n in threads], "--", color=drawing.SOFT)
        edges = [one.ci95 or (one.median, one.median) for one in summaries if one]
        below = [rate - low for rate, (low, _) in zip(rates, edges, strict=True)]
        above = [high - rate for rate, (_, high) in zip(rates, edges, strict=True)]
        error = [below, above]
        axes.errorbar(threads, rates, yerr=error, marker="o", color=colour, label=name, capsize=4)
    axes.plot([], [], "--", color=drawing.SOFT, label="ideal: n times one thread")
    axes.set_title("What more threads bring")
    axes.set_xlabel("threads")
    axes.set_ylabel("hashrate, H/s (median, 95 % interval)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(drawing.rate_tick))
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    return picture


def stability(result: Result, width: float = drawing.BROAD) -> Picture | None:
    """Rate of each slice over time, a strip for each of the fastest cases; None without slices."""
    ran = [case for case in result.cases if case.gate.passed and len(case.slices) > 1]
    ran.sort(key=lambda case: -max(case.headline()))
    found = ran[:MOST_STRIPS]
    if not found:
        return None
    heat = any(one.temperature_c for case in found for one in case.slices)
    strips = len(found) + heat
    picture = drawing.picture(width, 1.4 + 1.5 * strips)
    panels = picture.subplots(strips, 1, sharex=True, squeeze=False)[:, 0]
    for axes, case, colour in zip(panels, found, drawing.LINES, strict=False):
        _strip(axes, case, result.seed, colour)
    if heat:
        for case, colour in zip(found, drawing.LINES, strict=False):
            panels[-1].plot(_times(case), [one.temperature_c for one in case.slices], color=colour)
        panels[-1].set_ylabel("CPU, °C")
    panels[-1].set_xlabel("time since the first slice, s")
    drawing.title(picture, "Every slice of about a second; band: 95 % interval of the median")
    return picture


def _strip(axes: Any, case: CaseResult, seed: int, colour: str) -> None:
    summary = case.summary(seed)
    assert summary is not None  # the gate has passed and there are slices
    percent = [100 * rate / summary.median for rate in case.headline()]
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
