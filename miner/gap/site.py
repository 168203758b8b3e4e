"""A static site of a collection: two rankings, every figure one click from the file it rests on."""

from html import escape
from pathlib import Path

from miner import units
from miner.errors import ConfigError
from miner.gap import collection, style
from miner.gap.collection import Entry
from miner.measure import export

FILES = "files"
LEAD = (
    "Hashes of SHA-256d that computers at home did, measured by homehash. Each file holds the "
    "shares found while it was timed: the work is proven, and anybody can check it with "
    "miner bench verify FILE. Not proven: the seconds, and which machine it was."
)
NOTE = (
    "Rates are medians of slices of a second, each a link to the file of its row, with the 95 % "
    "interval of that run. A burst is the first 16 seconds, and ranks, since every file has one; "
    "a sustained rate is the later half of two minutes or more. By CPU time: hashes a second of "
    "CPU, an estimate of what the machine does undisturbed. A core: of the burst, by physical "
    "cores. Proven: hashes done with 95 % confidence (one-sided, exact Poisson), of those claimed. "
    "J/TH covers what its boundary says: package and board leave out the rest of the computer."
)
COLUMNS = (
    "machine", "what ran", "burst", "sustained", "95 %", "a core", "J/TH", "standing", "how",
    "proven", "date",
)  # fmt: skip
WORDS = (0, 1, 8)  # columns that start at the left
LINKS = (2, 3)  # columns that lead to the file


def write(entries: list[Entry], refused: list[str], out: Path) -> Path:
    """index.html and files/ in `out`. Raises ConfigError when it cannot be written."""
    try:
        (out / FILES).mkdir(parents=True, exist_ok=True)
        for one in entries:
            target = out / FILES / collection.name(one)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(export.to_json(one.result), "utf-8")
        (out / "index.html").write_text(page(entries, refused), "utf-8")
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror or error}") from error
    return out / "index.html"


def page(entries: list[Entry], refused: list[str]) -> str:
    parts = ["<h1>What computers at home hash</h1>", f'<p class="lead">{escape(LEAD)}</p>']
    for title, gpu in (("By CPU", False), ("By graphics card", True)):
        chosen = [one for one in entries if one.gpu == gpu]
        parts.append(f"<h2>{title}</h2>")
        parts.append(_table(chosen) if chosen else "<p>No result yet.</p>")
    parts.append(f'<p class="note">{escape(NOTE)}</p>')
    if refused:
        lines = "\n".join(f"<li>{escape(one)}</li>" for one in refused)
        parts.append(f"<h2>Files left out</h2>\n<ul class='sources'>{lines}</ul>")
    return style.document("What computers at home hash", parts)


def _table(chosen: list[Entry]) -> str:
    head = "".join(f"<th{_left(i)}>{name}</th>" for i, name in enumerate(COLUMNS))
    rows = []
    for rank, one in enumerate(chosen, start=1):
        cells = "".join(
            f"<td{_left(i)}>{cell}</td>" for i, cell in enumerate(_cells(one, rank, len(chosen)))
        )
        rows.append(f"<tr>{cells}</tr>")
    body = "\n".join(rows)
    return (
        f"<div class='wide'><table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _left(column: int) -> str:
    return ' class="l"' if column in WORDS else ""


def _cells(one: Entry, rank: int, count: int) -> list[str]:
    """Escaped; the rates are links to the file that every figure of the row comes from."""
    case, found, energy = one.case, one.summary, one.case.energy
    interval = units.interval(*found.ci95, found.median) if found.ci95 else "n/a"
    link = escape(f"{FILES}/{collection.name(one).as_posix()}", quote=True)
    joules = "n/a"
    if energy:
        joules = f"{units.energy(energy.gross_j_per_th)} {energy.boundary}"
        joules += ", given" if energy.given else ""
    plain = [
        one.model,
        case.spelled,
        units.rate(case.burst_hs),
        units.rate(case.sustained_hs),
        interval,
        units.rate(one.per_core_hs),
        joules,
        collection.standing(rank, count),
        f"{case.basis}, {case.length}; {case.trust().word}",
        units.percent(one.finding.share_proven),
        one.result.created[:10],
    ]
    cells = [escape(cell) for cell in plain]
    for index in LINKS:
        if plain[index] != "n/a":
            cells[index] = f'<a href="{link}">{cells[index]}</a>'
    return cells
