"""One self-contained page to hand out: the article in four pictures, each with its numbers beside
it, then how it was measured and where every figure comes from. No network, no script.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import matplotlib as mpl
from matplotlib.figure import Figure as Picture

from miner import units
from miner.gap import arithmetic, drawing, payback, pictures, run_pictures, style, tables
from miner.gap.arithmetic import Network, Own
from miner.gap.collection import Entry
from miner.gap.economics import Figure
from miner.gap.hardware import BOUNDARY, HardwareRow
from miner.gap.tables import Sheet
from miner.gap.twogaps import Bar, coverage, sentence
from miner.measure import environment, stats
from miner.measure.result import Result

HOME_AND_HALL = (
    "Home: a computer, or a small machine for the desk or the living room. Hall: a building where "
    "thousands of machines do nothing but hash, wherever electricity is cheap."
)
FEW = 14  # rows that paper keeps together
LEFT = ' class="l"'

METHOD = (
    "Before anything was timed, each backend had to give known answers: real Bitcoin headers, the "
    "first and last nonces, ranges that flood with hits and ranges without, a digest over every "
    "hit of seeded ranges, equal to that of an independent implementation. One wrong answer, and "
    "it is printed INVALID without a rate.",
    "The work is that of mining: units from the same roller, scanned in the same batches by the "
    "same code. After a warm-up, slices of about one second count hashes (headers tried) from the "
    "first thread's start to the last one's end; several cases take turns in an order drawn anew.",
    "Where other programs had a part of the machine, hashes are divided by CPU time or by the "
    "graphics card's own clock, and that is said.",
    "The shares met while it was timed are in the result file: anybody can hash them again "
    "(miner bench verify). That proves the hashes; not the seconds, nor which machine it was.",
    f"Statistics: {stats.METHOD}.",
    "Energy comes from a counter or from a wall meter read by the user, never from a guess; the "
    "boundary says what it covers, and what it leaves out is said wherever it is compared.",
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
    proven: Sequence[Entry] = ()


NAMES = ("rates", "costs", "pays", "other-way", "stability", "scaling")


def draw(found: Findings, width: float = drawing.BROAD) -> dict[str, Picture]:
    """Every picture that has data, by short name, in reading order."""
    own, table = found.own, found.table
    with mpl.rc_context(drawing.RC):
        made = (
            pictures.rates(own, table, found.proven, width),
            pictures.costs(own, table, width),
            pictures.pays(own, table, found.network, width),
            pictures.other_way(found.bars, width),
            run_pictures.stability(found.result, width),
            run_pictures.scaling(found.result, width),
        )
    return {name: one for name, one in zip(NAMES, made, strict=True) if one is not None}


def page(found: Findings) -> str:
    """The whole document. Every text that came from a file is escaped."""
    own, table = found.own, found.table
    broad, narrow = draw(found), draw(found, drawing.NARROW)

    def figure(name: str, said: str) -> str:
        if name not in broad:
            return ""
        both = "".join(
            f'<div class="{kind}">'
            + drawing.inline_svg(f"{name}-{kind}", made[name], escape(said, quote=True))
            + "</div>"
            for kind, made in (("broad", broad), ("narrow", narrow))
        )
        return f"<figure>{both}<figcaption>{escape(said)}</figcaption></figure>"

    sheets = {sheet.title: _sheet(sheet) for sheet in found.sheets}
    parts = [
        f"<h1>{escape(_title(own))}</h1>", f'<p class="lead">{escape(_lead(own, table))}</p>',
        "<h2>From home to hall</h2>", f"<p>{HOME_AND_HALL}</p>",
        figure("rates", rate_words(own, table)),
        sheets[tables.OWN],
        "<h2>What a hash costs</h2>", figure("costs", cost_words(own, table)),
        sheets[tables.ERAS],
        "<h2>Where it pays</h2>", figure("pays", payback.sentence(table, found.network)),
        *(sheets[title] for title in (tables.PAYS, tables.ALONE, tables.BLOCK)),
        "<h2>The other way</h2>", figure("other-way", sentence(found.bars, own.missing)),
        f"<p>{escape(coverage(found.figures))}</p>", sheets[tables.GAPS],
        sheets[tables.HISTORY], _method(found.result),
        figure("stability", "Every slice of about a second, in per cent of the case's median."),
        figure("scaling", "Hashrate against the number of threads, with the ideal line."),
        _sources(table, found.figures, found.network),
    ]  # fmt: skip
    return style.document(_title(own), parts)


def _title(own: Own) -> str:
    return f"One computer against an ASIC: {units.rate(own.rate_hs)} on {own.machine}"


def _lead(own: Own, table: list[HardwareRow]) -> str:
    """The rate never stands without its interval, its trust and how long it was held."""
    best = arithmetic.best(table, "asic")
    era = arithmetic.compare(own, "", best)
    spread = units.interval(*own.ci95, own.rate_hs) if own.ci95 else "no interval"
    text = (
        f"The {best.name} ({best.released}) hashes as fast as {units.many(era.times_rate)} of "
        f"this computer ({units.rate(own.rate_hs)}, 95 % {spread}, {own.trust}, by {own.basis}, "
        f"{own.length})"
    )
    if era.times_energy is None:
        return f"{text}. Its energy was not measured, so nothing is said about joules."
    times = units.many(era.times_energy)
    given = " with the watts that were given" if own.given else ""
    missing = f" {own.missing}" if own.missing else ""
    return f"{text}, and needs {times} times less energy for a hash{given}.{missing}"


def rate_words(own: Own, table: list[HardwareRow]) -> str:
    """The first picture in a sentence, with the division to be done again."""
    best = arithmetic.best(table, "asic")
    times = best.hashrate_hs / own.rate_hs
    return (
        f"{best.name}: {units.rate(best.hashrate_hs)}; this computer: "
        f"{units.rate(own.rate_hs)}; one over the other is {units.large(times)}. In "
        "2010 a home computer was as good as any; from 2013 on chips were made for nothing else, "
        "and each year took them further from what stands at home."
    )


def cost_words(own: Own, table: list[HardwareRow]) -> str:
    best = arithmetic.best(table, "asic")
    said = f"{best.name}: {units.energy(best.j_per_th)}"
    if own.j_per_th is None or best.j_per_th is None:
        return f"{said}. This computer's joules are not known: give --watts from a wall meter."
    times = units.large(own.j_per_th / best.j_per_th)
    given = ", watts given" if own.given else ""
    return (
        f"{said} at the wall; this computer: {units.energy(own.j_per_th)} ({own.boundary}{given}"
        f"); one over the other is {times}. {own.missing}".strip()
    )


def _sheet(sheet: Sheet) -> str:
    """A table; its bars are for terminals, the page has the pictures."""
    kept = [index for index, name in enumerate(sheet.columns) if name != tables.BARS]
    left = [LEFT if index < sheet.left else "" for index in kept]
    named = any(sheet.columns)
    head = _cells("th", (sheet.columns[index] for index in kept), left) if named else ""
    rows = [_cells("td", (row[index] for index in kept), left) for row in sheet.rows]
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    few = " few" if len(rows) <= FEW else ""
    note = f'<p class="note">{escape(sheet.note)}</p>' if sheet.note else ""
    return (
        f"<h3>{escape(sheet.title)}</h3>\n<div class='wide{few}'><table>\n"
        f"<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>{note}"
    )


def _cells(tag: str, cells: Iterable[str], left: list[str]) -> str:
    return "".join(
        f"<{tag}{mark}>{escape(_whole(cell))}</{tag}>"
        for cell, mark in zip(cells, left, strict=True)
    )


def _whole(cell: str) -> str:
    """A date keeps on one line, since its hyphens do not break; so does a number with its sign."""
    if re.fullmatch(r"\d{4}(-\d\d){1,2}", cell):
        return cell.replace("-", "\u2011")
    return re.sub(r" (?=(%|x)(\W|$))", "\u00a0", cell)


def _method(result: Result) -> str:
    known = result.environment
    facts = [
        f"{key}: {known[key]}"
        for key in ("cpu", "cpu_id", "cores", "threads", "microcode", "governor", "os", "kernel",
                    "virtual", "python", "load_1min", "native_sha256", "code_sha256")
        if known.get(key) is not None
    ]  # fmt: skip
    best = result.best()
    if best and (words := environment.compiled(known, best.variant, best.shape)):
        facts.append(f"compiled by {words}")
    made = f"homehash {result.version}, commit {result.commit or 'n/a'}, seed {result.seed}"
    made += ", interrupted: partial results" if result.partial else ""
    reasons = [
        f"{case.label}: {reason}" for case in result.cases for reason in case.trust().reasons
    ]
    steps = "\n".join(f"<li>{escape(step)}</li>" for step in METHOD)
    doubts = "".join(f"<p>{escape(reason)}.</p>" for reason in reasons)
    return (
        f"<h2>How it was measured</h2>\n{doubts}<ul>{steps}</ul>\n"
        f"<p class='soft'>{escape(made)}. {escape(', '.join(facts))}.</p>"
    )


def _sources(table: list[HardwareRow], figures: Mapping[str, Figure], network: Network) -> str:
    """Every machine and figure that the page leans on, with date and link, in print too."""
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
        f"<li>{escape(_name(one))}: {one.value:g} {escape('' if one.unit == '1' else one.unit)}"
        f", {escape(one.as_of)}: "
        f'{_link(one.source_url)} <span class="soft">{escape(one.note)}</span></li>'
        for one in used
    )
    return (
        f"<h2>Sources</h2>\n<p class='soft'>What watts cover: {escape(boundaries)}. P = primary, "
        "S = secondary, W = weak.</p>\n"
        f"<h3>Figures</h3><ul class='sources'>{items}</ul>\n"
        f"<h3>Machines</h3><ul class='sources'>{rows}</ul>"
    )


def _name(figure: Figure) -> str:
    """A key in words."""
    return figure.key.removesuffix("_derived").replace("_", " ")


def _link(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        return escape(url)
    return f'<a href="{escape(url, quote=True)}">{escape(url)}</a>'
