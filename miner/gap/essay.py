"""One self-contained page to hand out: charts, tables, method, sources; no network, no script."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from matplotlib.figure import Figure as Picture

from miner import units
from miner.gap import arithmetic, plots, style
from miner.gap.arithmetic import Network, Own
from miner.gap.economics import Figure
from miner.gap.hardware import BOUNDARY, HardwareRow
from miner.gap.tables import Sheet, led
from miner.gap.twogaps import Bar, coverage, sentence
from miner.measure import stats
from miner.measure.result import Result

LEFT = ' class="l"'

CAPTIONS = {
    "eras": "Hashrate and energy of every machine in the table against its year, log scales; the "
    "star is this computer.",
    "scaling": "Hashrate against the number of threads, with the ideal line.",
    "stability": "Rate of every slice over time, in per cent of the case's median.",
    "waffle": "One ASIC as so many of this computer: every grid is a hundred of the grid before.",
    "two-gaps": "How far the best hall machine is ahead of a home machine, in mining and in AI, on "
    "one log axis. Solid bars were measured here, pale ones given, hatched ones are quoted.",
}

METHOD = (
    "Before anything was timed, each backend had to give known answers: real Bitcoin headers, the "
    "first and last nonces, ranges that flood with hits and ranges without, a digest over every "
    "hit of seeded ranges, equal to that of an independent implementation. One wrong answer, and "
    "it is printed INVALID without a rate.",
    "The work is that of mining: units from the same roller, scanned in the same batches by the "
    "same code. After a warm-up, slices of about one second count hashes (headers tried) over "
    "monotonic time; several cases take turns, so that drift hits all alike.",
    f"Statistics: {stats.METHOD}. A rate that is not steady carries the word that says why.",
    "Energy comes from a counter or from a wall meter read by the user, never from a guess; the "
    "boundary says what it covers, and different boundaries are not compared without saying so.",
)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a gap report shows."""

    result: Result
    own: Own
    table: list[HardwareRow]
    figures: Mapping[str, Figure]
    network: Network
    sheets: list[Sheet]
    bars: list[Bar]


def page(found: Findings, drawn: Mapping[str, Picture]) -> str:
    """The whole document. Every text that came from a file is escaped."""
    own, table, figures, bars = found.own, found.table, found.figures, found.bars
    pictures = {
        name: plots.inline_svg(name, picture, escape(CAPTIONS[name], quote=True))
        for name, picture in drawn.items()
    }
    places = {1: ("eras", "waffle"), 5: ("two-gaps",)}
    parts = [f"<h1>{escape(_title(own))}</h1>", f'<p class="lead">{escape(_lead(own, table))}</p>']
    parts.append(f"<p>{escape(led(own, table, figures))}</p>")
    for index, sheet in enumerate(found.sheets):
        parts.append(_sheet(sheet))
        parts += [_figure(name, pictures) for name in places.get(index, ()) if name in pictures]
    parts += [f"<p>{escape(text)}</p>" for text in (sentence(bars), coverage(figures))]
    parts.append(_method(found.result))
    parts += [_figure(name, pictures) for name in ("stability", "scaling") if name in pictures]
    parts.append(_sources(table, figures, found.network))
    return style.document(_title(own), parts)


def _title(own: Own) -> str:
    return f"One computer against an ASIC: {units.rate(own.rate_hs)} on {own.machine}"


def _lead(own: Own, table: list[HardwareRow]) -> str:
    best = arithmetic.best(table, "asic")
    era = arithmetic.compare(own, "", best)
    text = (
        f"The {best.name} ({best.released}) hashes as fast as "
        f"{units.many(era.times_rate)} of this computer"
    )
    if era.times_energy is None:
        return f"{text}. Its energy was not measured, so nothing is said about joules."
    return f"{text}, and needs {units.many(era.times_energy)} times less energy for a hash."


def _figure(name: str, pictures: dict[str, str]) -> str:
    caption = escape(CAPTIONS[name])
    return f"<figure>{pictures[name]}<figcaption>{caption}</figcaption></figure>"


def _sheet(sheet: Sheet) -> str:
    left = [LEFT if index < sheet.left else "" for index in range(len(sheet.columns))]
    head = _cells("th", sheet.columns, left) if any(sheet.columns) else ""
    body = "\n".join(f"<tr>{_cells('td', row, left)}</tr>" for row in sheet.rows)
    note = f'<p class="note">{escape(sheet.note)}</p>' if sheet.note else ""
    return (
        f"<h2>{escape(sheet.title)}</h2>\n<div class='wide'><table>\n"
        f"<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>{note}"
    )


def _cells(tag: str, cells: Iterable[str], left: list[str]) -> str:
    """Bars start at the left, as words do; figures end at the right."""
    found = ""
    for cell, mark in zip(cells, left, strict=True):
        mark = LEFT if cell.startswith("█") else mark
        found += f"<{tag}{mark}>{escape(_whole(cell))}</{tag}>"
    return found


def _whole(cell: str) -> str:
    """A date keeps on one line: its hyphens do not break."""
    return cell.replace("-", "\u2011") if re.fullmatch(r"\d{4}(-\d\d){1,2}", cell) else cell


def _method(result: Result) -> str:
    environment = result.environment
    facts = ", ".join(
        f"{key}: {environment[key]}"
        for key in ("cpu", "cores", "threads", "microcode", "governor", "os", "kernel", "virtual",
                    "python", "load_1min")
        if environment.get(key) is not None
    )  # fmt: skip
    made = f"homehash {result.version}, commit {result.commit or 'n/a'}, seed {result.seed}"
    made += ", interrupted: partial results" if result.partial else ""
    steps = "\n".join(f"<li>{escape(step)}</li>" for step in METHOD)
    return (
        f"<h2>Method</h2>\n<ul>{steps}</ul>\n<p class='soft'>{escape(made)}. {escape(facts)}.</p>"
    )


def _sources(table: list[HardwareRow], figures: Mapping[str, Figure], network: Network) -> str:
    """Every machine and figure that the page leans on, with date and link."""
    boundaries = "; ".join(f"{kind}: {text}" for kind, text in BOUNDARY.items())
    rows = "\n".join(
        f"<li>{escape(row.name)}, {row.released}: {_link(row.source_url)} "
        f'<span class="soft">{escape(row.note)} [{row.confidence}]</span></li>'
        for row in sorted(table, key=lambda row: row.year)
    )
    used = [network.difficulty, network.price, network.subsidy, network.carbon]
    used += [*network.hashprices, *network.tariffs]
    used += [figure for key, figure in figures.items() if key.startswith(("ai_", "history_"))]
    items = "\n".join(
        f"<li>{escape(one.key)} = {one.value:g} {escape(one.unit)}, {escape(one.as_of)}: "
        f'{_link(one.source_url)} <span class="soft">{escape(one.note)}</span></li>'
        for one in used
    )
    return (
        f"<h2>Sources</h2>\n<p class='soft'>What watts cover: {escape(boundaries)}. P = primary, "
        "S = secondary, W = weak.</p>\n"
        f"<details open><summary>Figures</summary><ul class='soft'>{items}</ul></details>\n"
        f"<details><summary>Machines</summary><ul class='soft'>{rows}</ul></details>"
    )


def _link(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        return escape(url)
    return f'<a href="{escape(url, quote=True)}">{escape(url)}</a>'
