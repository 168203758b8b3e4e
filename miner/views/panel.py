"""The rows of the live screen, as functions of the snapshot."""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from miner.state.activity import Activity
from miner.state.history import Row
from miner.state.snapshot import DeviceRow, Snapshot, SourceRow
from miner.units import chance as one_in
from miner.units import duration
from miner.views import words

BARS = "▁▂▃▄▅▆▇█"
SPARK_S, MOST_CELLS = 600.0, 48
MOST_SOURCES, MOST_DEVICES, MOST_ALARMS, MOST_WORKERS = 3, 3, 2, 64
LABEL = 10  # columns
STATE_STYLES = {
    Activity.MINING: "bold green",
    Activity.PACED: "bold green",
    Activity.PAUSED: "bold yellow",
    Activity.NO_WORK: "bold yellow",
    Activity.USED_UP: "bold yellow",
    Activity.BACKEND: "bold red",
}
HELP = (
    "p pause, r resume: stop hashing and go on; the pool or node stays connected",
    "i identify: say on this screen which computer it is, for half a minute",
    "d details: one row for each worker        q quit: stop in good order (as Ctrl-C)",
    "luck: shares found against shares expected from the hashes done; `miner explain WORD`",
)
KEYS = "p pause   r resume   i identify   d details   ? help   q quit"


class Options(NamedTuple):
    """What the keys switched."""

    details: bool = False
    help: bool = False
    identify_until: float = 0.0  # wall clock


def panel(now: Snapshot, options: Options, width: int, height: int) -> RenderableType:
    """At most `height` - 1 lines, so that a terminal does not scroll."""
    lines = [Text(), title(now)]
    lines += identify(now, width) if options.identify_until > time.time() else []
    lines += [*speed(now, width), *rows(now)]
    lines += [source(row) for row in now.sources[:MOST_SOURCES]]
    lines += rest(len(now.sources), MOST_SOURCES, "sources")
    lines += [device(row, now) for row in now.devices[:MOST_DEVICES]]
    lines += rest(len(now.devices), MOST_DEVICES, "devices")
    lines += [line("alarm", row.text, "bold red") for row in now.alarms[-MOST_ALARMS:]]
    foot = [Text(text, style="dim") for text in (HELP if options.help else (KEYS,))]
    room = max(height - 2 - len(foot), 4)
    shown: list[RenderableType] = [fit(text, width) for text in lines[:room]]
    left = room - len(shown)
    if options.details and left > 2:
        shown.append(workers(now, left - 1))
    return Group(*shown, *(fit(text, width) for text in foot))


def fit(text: Text, width: int) -> Text:
    """One line; what does not fit ends in dots."""
    text.truncate(width, overflow="ellipsis")
    return text


def line(label: str, text: str, style: str = "") -> Text:
    made = Text(f" {label:<{LABEL}}", style="cyan")
    made.append(text, style=style or "default")
    return made


def title(now: Snapshot) -> Text:
    run = now.run
    made = Text.assemble(("homehash ", "bold"), (run.version, "dim"), "  ")
    doing = "mining, blocks are paced" if run.activity is Activity.PACED else run.activity.value
    made.append(doing, style=STATE_STYLES.get(run.activity, "bold"))
    made.append(f", up {duration(run.elapsed_s)}")
    if run.goals:
        made.append(f", until {' or '.join(run.goals)}", style="dim")
    if run.tls_insecure:
        made.append("  TLS NOT VERIFIED", style="bold red")
    if run.views_dropped:
        made.append(f"  {run.views_dropped} lines not shown", style="dim")
    return made


def identify(now: Snapshot, width: int) -> list[Text]:
    """Which computer this is, hard to overlook."""
    where = ", ".join(now.machine.addresses[:2])
    text = f"THIS IS {now.machine.host}" + (f" ({where})" if where else "")
    return [Text(f"{text:^{width}}", style="bold reverse blink")]


def speed(now: Snapshot, width: int) -> list[Text]:
    run = now.run
    if run.paced:
        told, _, asks = words.computer(now).partition("; ")
        return [line("speed", told, "bold"), line("", asks)]
    lines = [line("speed", words.rates(run.rates, run.rate_session_hs), "bold")]
    recent = [row for row in now.history.fine if row.time_s > time.time() - SPARK_S]
    if len(recent) > 2:
        cells = min(MOST_CELLS, width - LABEL - 30)
        text = sparkline(recent, time.time(), cells)
        low, high = min(row.low_hs for row in recent), max(row.high_hs for row in recent)
        between = f" 10 min, {words.number(low)} to {words.hashrate(high)}"
        lines.append(line("", text + between, "green"))
    if compared := words.benchmark(now):
        lines.append(line("benchmark", compared, "yellow" if run.below_benchmark else ""))
    return lines


def sparkline(recent: Sequence[Row], now_s: float, cells: int) -> str:
    """Mean rates of the last ten minutes, from 0 to the highest; blank where nothing is known."""
    groups: list[list[float]] = [[] for _ in range(max(cells, 1))]
    for row in recent:
        place = int((row.time_s - now_s + SPARK_S) / SPARK_S * len(groups))
        groups[min(max(place, 0), len(groups) - 1)].append(row.rate_hs)
    means = [sum(group) / len(group) if group else None for group in groups]
    top = max((mean for mean in means if mean is not None), default=0.0)
    return "".join(
        " " if mean is None else BARS[int(mean / top * (len(BARS) - 1)) if top else 0]
        for mean in means
    )


def rows(now: Snapshot) -> list[Text]:
    shares, job = now.shares, now.job
    best = f"{words.number(shares.best_session)} difficulty"
    best += f" (ever {words.number(shares.best_ever)})"
    lines = [line("shares", words.results(now))]
    if not now.run.paced:
        lines.append(line("luck", words.luck(now.luck), luck_style(now)))
        lines.append(line("chance", words.chances(now.odds)))
    lines.append(line("best", best))
    odds = now.odds
    if now.run.paced and odds.mainnet_block_a_year is not None:
        wait, chance = duration(odds.mainnet_block_s), one_in(odds.mainnet_block_a_year)
        lines.append(line("mainnet", f"a block in {wait} on average: {chance} a year"))
    if job is not None:
        height = "" if job.height is None else f"height {job.height:,}, "
        pays = "" if job.coinbase is None else f", pays {job.coinbase.total / 1e8:.8g} BTC"
        difficulty = f"difficulty {words.number(job.network_difficulty)}"
        lines.append(line("job", f"{height}{duration(job.age_s)} old, {difficulty}{pays}"))
    lines.append(block(now))
    return lines


def luck_style(now: Snapshot) -> str:
    """Yellow outside of what 95 of 100 miners see."""
    luck = now.luck
    if luck.ratio is None or luck.low is None or luck.high is None:
        return ""
    return "" if luck.low <= luck.ratio <= luck.high else "yellow"


def block(now: Snapshot) -> Text:
    blocks, last = now.blocks, now.blocks.last
    counts = f"{blocks.accepted} accepted"
    counts += f", {blocks.rejected} rejected" if blocks.rejected else ""
    counts += f", {blocks.waiting} in the journal" if blocks.waiting else ""
    if last is None:
        return line("blocks", "none found yet" if not blocks.found else counts)
    height = "" if last.height is None else f" {last.height:,}"
    ago = duration(max(time.time() - last.answered_at_s, 0.0))
    what = f"; last{height} {last.hash[:16]}.. {last.answer}, {ago} ago"
    return line("blocks", counts + what, "bold green" if last.answer == "accepted" else "")


def source(row: SourceRow) -> Text:
    good = row.health == "ready"
    made = line(row.kind, "● " if row.active else "○ ", "green" if good else "yellow")
    counts = f", {row.accepted} accepted, {row.rejected + row.stale} not"
    latency = "" if row.latency_median_s is None else f", {duration(row.latency_median_s)}"
    is_pool = row.kind == "pool" and row.difficulty is not None
    difficulty = "" if not is_pool else f", shares at {words.number(row.difficulty)}"
    told = "" if good else f": {row.text}"
    made.append(f"{row.name} {row.health}{told}{counts}{latency}{difficulty}")
    return made


def device(row: DeviceRow, now: Snapshot) -> Text:
    rate = "" if now.run.paced else f", {words.hashrate(row.rates.rate_1min_hs)}"
    told = words.sensors(row.sensors)
    told = f", {told}" if told else ""
    watts = row.sensors.power_w if row.sensors is not None else None
    hashes = row.rates.rate_1min_hs
    if watts and hashes and not now.run.paced:
        told += f", {watts / hashes * 1e12:,.0f} J/TH"
    faults = row.faults + row.false_hits
    bad = f", {faults} faults" if faults else ""
    count = f"{row.workers} worker{'s' * (row.workers != 1)}"
    return line(row.kind.upper(), f"{row.name}, {count}{rate}{told}{bad}", "red" if bad else "")


def rest(count: int, most: int, what: str) -> Iterable[Text]:
    return [line("", f"and {count - most} more {what}", "dim")] if count > most else []


def workers(now: Snapshot, room: int) -> Table:
    """One row a worker, as many as there is room for."""
    table = Table(box=None, pad_edge=False, header_style="cyan", padding=(0, 1))
    for heading in ("worker", "10 s", "1 min", "versions", "faults", "state"):
        table.add_column(heading, no_wrap=True)
    fits = room - 1 if len(now.workers) <= room - 1 else room - 2
    for row in now.workers[: max(fits, 0)]:
        rates = [row.rates.rate_10s_hs, row.rates.rate_1min_hs]
        told = ["-" if now.run.paced else words.hashrate(rate) for rate in rates]
        faults = str(row.false_hits + row.faults)
        cells = (row.name, *told, str(row.versions), faults, row.state)
        table.add_row(*(Text(cell) for cell in cells))
    if len(now.workers) > fits:
        table.add_row(Text(f"and {len(now.workers) - fits} more"))
    return table
