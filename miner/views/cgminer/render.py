"""A snapshot in cgminer's words. Its keys are kept in its order; ours come after them.

What is not known has no key, where cgminer prints 0: temperatures of devices without a sensor,
bytes on the wire, shares of one device among several. Rates below 1 MH/s get six decimals.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from miner import __version__
from miner.state.snapshot import Snapshot, SourceRow
from miner.views.cgminer.commands import Answers
from miner.views.cgminer.devices import ascs, details, device_stats, notes
from miner.views.cgminer.format import Raw, Reply, Row, Section, decimal, flag, number, whole
from miner.views.cgminer.numbers import (
    average_hs,
    diff1,
    false_hits,
    ghs,
    ghs_short,
    last_job_at,
    percent,
    rates,
    warmest,
)
from miner.views.names import Names

DESCRIPTION = f"homehash {__version__}"
HEALTH = {"ready": "Alive", "waiting": "Alive", "refused": "Rejecting"}  # else Dead
NO_ASCS = Reply("E", 10, "No ASCs")
NO_WAITS: Row = [
    ("Calls", number(0)),
    ("Wait", Raw("0.000000")),
    ("Max", Raw("0.000000")),
    ("Min", Raw("99999999.000000")),
]


def answers(now: Snapshot, names: Names, wall_s: float) -> Answers:
    """Every command that reads, made when it is asked for."""

    def device_rows(name: str, code: int, message: str, rows: list[Row]) -> Reply:
        return Reply("S", code, message, Section(name, rows, indexed=True)) if rows else NO_ASCS

    def devs(_: str) -> Reply:
        found = f"{len(now.devices)} ASC(s)"
        return device_rows("DEVS", 9, found, ascs(now, wall_s))

    table: dict[str, Callable[[str], Reply]] = {
        "version": lambda _: version(),
        "summary": lambda _: Reply("S", 11, "Summary", Section("SUMMARY", [summary(now, wall_s)])),
        "pools": lambda _: pools(now, names),
        "devs": devs,
        "edevs": devs,
        "devdetails": lambda _: device_rows("DEVDETAILS", 69, "Device Details", details(now)),
        "notify": lambda _: device_rows("NOTIFY", 60, "Notify", notes(now, wall_s)),
        "stats": lambda _: stats(now, with_pools=True),
        "estats": lambda _: stats(now, with_pools=False),
        "coin": lambda _: Reply("S", 78, "CGMiner coin", Section("COIN", [coin(now, wall_s)])),
        "config": lambda _: Reply("S", 33, "CGMiner config", Section("CONFIG", [config(now)])),
        "lcd": lambda _: Reply("S", 125, "LCD", Section("LCD", [lcd(now, names, wall_s)])),
        "asccount": lambda _: count("ASC", 104, "ASCS", len(now.devices)),
        "pgacount": lambda _: count("PGA", 59, "PGAS", 0),
        "asc": lambda parameter: asc(now, wall_s, parameter),
        "usbstats": lambda _: Reply("I", 88, "No USB Statistics"),
    }
    return table


def version() -> Reply:
    row: Row = [
        ("CGMiner", DESCRIPTION),
        ("API", "3.7"),
        ("Miner", DESCRIPTION),
        ("Type", "homehash"),
    ]
    return Reply("S", 22, "CGMiner versions", Section("VERSION", [row]))


def count(kind: str, code: int, section: str, devices: int) -> Reply:
    return Reply("S", code, f"{kind} count", Section(section, [[("Count", number(devices))]]))


def asc(now: Snapshot, wall_s: float, parameter: str) -> Reply:
    rows = ascs(now, wall_s)
    if not rows:
        return Reply("E", 105, "No ASCs")
    if not parameter:
        return Reply("E", 15, "Missing device id parameter")
    place = int(parameter) if parameter.isascii() and parameter.isdigit() else -1
    if not 0 <= place < len(rows):
        told = parameter if len(parameter) < 10 and parameter.lstrip("-").isalnum() else "?"
        return Reply("E", 107, f"Invalid ASC id {told} - range is 0 - {len(rows) - 1}")
    return Reply("S", 106, f"ASC{place}", Section("ASC", [rows[place]], indexed=True))


def summary(now: Snapshot, wall_s: float) -> Row:
    run, shares, sources = now.run, now.shares, now.sources
    minutes = max(run.elapsed_s, 1.0) / 60
    jobs = now.job.jobs if now.job else 0
    worth = tuple(
        sum(getattr(row, f"{name}_difficulty") for row in sources)
        for name in ("accepted", "rejected", "stale")
    )
    work = diff1(run.hashes)
    row: Row = [
        ("Elapsed", whole(run.elapsed_s)),
        *rates(run.rates, average_hs(now)),
        ("Found Blocks", number(now.blocks.accepted)),
        ("Getworks", number(jobs)),
        ("Accepted", number(shares.accepted)),
        ("Rejected", number(shares.rejected)),
        ("Hardware Errors", number(false_hits(now))),
        ("Utility", decimal(shares.accepted / minutes, 2)),
        ("Discarded", number(max(jobs - 1, 0))),
        ("Stale", number(shares.stale + shares.dropped)),
        ("Get Failures", number(sum(failures(row) for row in sources))),
        ("Local Work", number(jobs)),
        ("Remote Failures", number(shares.unknown)),
        ("Network Blocks", number(max(jobs, 1))),
        ("Total MH", decimal(run.hashes / 1e6, 4)),
        ("Work Utility", decimal(work / minutes, 2)),
        *difficulties(*worth),
        ("Best Share", number(int(shares.best_session or 0))),
        ("Device Hardware%", percent(false_hits(now), false_hits(now) + work)),
        ("Device Rejected%", percent(worth[1], work)),
        ("Pool Rejected%", percent(worth[1], sum(worth))),
        ("Pool Stale%", percent(worth[2], sum(worth))),
        ("Last getwork", whole(last_job_at(now, wall_s))),
    ]
    return [*row, ("GHS 5s", ghs(run.rates.rate_10s_hs)), ("GHS av", ghs(average_hs(now)))]


def difficulties(accepted: float, rejected: float, stale: float) -> Row:
    return [
        ("Difficulty Accepted", decimal(accepted, 8)),
        ("Difficulty Rejected", decimal(rejected, 8)),
        ("Difficulty Stale", decimal(stale, 8)),
    ]


def failures(row: SourceRow) -> int:
    """Times its connection was lost."""
    return max(row.connects - 1, 0)


def pools(now: Snapshot, names: Names) -> Reply:
    rows = [pool(now, row, place, names) for place, row in enumerate(now.sources)]
    if not rows:
        return Reply("E", 8, "No pools")
    return Reply("S", 7, f"{len(rows)} Pool(s)", Section("POOLS", rows, indexed=True))


def pool(now: Snapshot, row: SourceRow, place: int, names: Names) -> Row:
    worth = row.accepted_difficulty + row.rejected_difficulty + row.stale_difficulty
    own = [share.difficulty for share in now.shares.best if share.source == row.name]
    is_pool, asked = row.kind == "pool", row.difficulty or 0.0
    told: Row = [
        ("POOL", number(place)),
        *pool_counts(row),
        ("User", names.user(row.user)),
        ("Last Share Time", whole(row.accepted_at_s or 0)),
        ("Diff1 Shares", number(int(row.accepted_difficulty))),
        ("Proxy Type", ""),
        ("Proxy", ""),
        *difficulties(row.accepted_difficulty, row.rejected_difficulty, row.stale_difficulty),
        ("Last Share Difficulty", decimal(row.accepted_last_difficulty or 0.0, 8)),
        ("Work Difficulty", decimal(asked, 8)),
        ("Has Stratum", flag(is_pool)),
        ("Stratum Active", flag(is_pool and row.active)),
        ("Stratum URL", urlsplit(row.url).hostname or "" if is_pool else ""),
        ("Stratum Difficulty", decimal(asked if is_pool else 0.0, 8)),
        ("Has Vmask", flag(False)),
        ("Has GBT", flag(not is_pool)),
        ("Best Share", number(int(max(own, default=0.0)))),
        ("Pool Rejected%", percent(row.rejected_difficulty, worth)),
        ("Pool Stale%", percent(row.stale_difficulty, worth)),
        ("Bad Work", number(0)),
    ]
    if row.active and now.job is not None:
        told.append(("Current Block Height", number(now.job.height or 0)))
        told.append(("Current Block Version", number(now.job.version)))
    return told


def pool_counts(row: SourceRow) -> Row:
    return [
        ("URL", row.url),
        ("Status", HEALTH.get(row.health, "Dead")),
        ("Priority", number(row.priority)),
        ("Quota", number(1)),
        ("Long Poll", "N"),
        ("Getworks", number(row.jobs)),
        ("Accepted", number(row.accepted)),
        ("Rejected", number(row.rejected)),
        ("Works", number(row.jobs)),
        ("Discarded", number(max(row.jobs - 1, 0))),
        ("Stale", number(row.stale)),
        ("Get Failures", number(failures(row))),
        ("Remote Failures", number(row.unknown)),
    ]


def stats(now: Snapshot, with_pools: bool) -> Reply:
    elapsed = ("Elapsed", whole(now.run.elapsed_s))
    rows: list[Row] = [
        [("ID", name), elapsed, *NO_WAITS, *more] for name, more in device_stats(now)
    ]
    for place, source in enumerate(now.sources if with_pools else ()):
        rows.append([("ID", f"POOL{place}"), elapsed, *NO_WAITS, *pool_stats(source)])
    numbered: list[Row] = [[("STATS", number(at)), *row] for at, row in enumerate(rows)]
    return Reply("S", 70, "CGMiner stats", Section("STATS", numbered, indexed=True))


def pool_stats(row: SourceRow) -> Row:
    asked = decimal(row.difficulty or 0.0, 8)
    return [
        ("Pool Calls", number(0)),
        ("Pool Attempts", number(0)),
        ("Pool Wait", Raw("0.000000")),
        ("Pool Max", Raw("0.000000")),
        ("Pool Min", Raw("99999999.000000")),
        ("Pool Av", Raw("0.000000")),
        ("Work Had Roll Time", flag(False)),
        ("Work Can Roll", flag(False)),
        ("Work Had Expire", flag(False)),
        ("Work Roll Time", number(0)),
        ("Work Diff", asked),
    ]


def coin(now: Snapshot, wall_s: float) -> Row:
    row: Row = [("Hash Method", "sha256")]
    if now.job is not None:
        row += [
            ("Current Block Time", decimal(last_job_at(now, wall_s), 6)),
            ("Current Block Hash", bytes.fromhex(now.job.prev_hash)[::-1].hex()),
            ("LP", flag(True)),
            ("Network Difficulty", decimal(now.job.network_difficulty, 8)),
        ]
    return row


def config(now: Snapshot) -> Row:
    codes = dict.fromkeys(device.kind.upper() for device in now.devices)
    return [
        ("ASC Count", number(len(now.devices))),
        ("PGA Count", number(0)),
        ("Pool Count", number(len(now.sources))),
        ("Strategy", "Failover"),
        ("Log Interval", number(5)),
        ("Device Code", "".join(f"{code} " for code in codes)),
        ("OS", now.machine.system.partition(" ")[0]),
        ("Hotplug", "None"),
    ]


def lcd(now: Snapshot, names: Names, wall_s: float) -> Row:
    run = now.run
    active = next((row for row in now.sources if row.active), None)
    last = max((row.accepted_at_s or 0.0 for row in now.sources), default=0.0)
    hottest = warmest(now.devices)
    row: Row = [
        ("Elapsed", whole(run.elapsed_s)),
        ("GHS av", ghs_short(average_hs(now))),
        ("GHS 5m", ghs_short(run.rates.rate_5min_hs)),
        ("GHS 5s", ghs_short(run.rates.rate_10s_hs)),
    ]
    if hottest is not None:
        row.append(("Temperature", decimal(hottest, 2)))
    return [
        *row,
        ("Last Share Difficulty", decimal((active and active.accepted_last_difficulty) or 0.0, 8)),
        ("Last Share Time", whole(last)),
        ("Best Share", number(int(now.shares.best_session or 0))),
        ("Last Valid Work", whole(wall_s if run.hashes else 0)),
        ("Found Blocks", number(now.blocks.accepted)),
        ("Current Pool", active.url if active else ""),
        ("User", names.user(active.user) if active else ""),
    ]
