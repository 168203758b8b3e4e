"""Devices in cgminer's words: each piece of hardware is an ASC."""

from miner.state.snapshot import DeviceRow, Snapshot, WorkerRow
from miner.views.cgminer.format import Row, decimal, flag, number, whole
from miner.views.cgminer.numbers import diff1, percent, rates

# What makes other programs take a miner for another make; none is ever in a device's name.
MAKES = """bosminer boser btminer bitmicro luxminer hiveon kaonsu rwglr antminer intchains_qomo
    kdaminer bfgminer innominer avalon gcminer fluxos vnish braiins""".split()
STATES = {"ok": "Alive", "auditing": "Alive", "starting": "Initialising", "restarting": "Sick"}
STATES |= {"sick": "Sick", "quarantined": "Dead"}
BEST_FIRST = ("Alive", "Initialising", "Sick", "Dead")  # one worker that hashes is enough
FAULTS = (
    "Thread Fail Init",
    "Thread Zero Hash",
    "Thread Fail Queue",
    "Dev Sick Idle 60s",
    "Dev Dead Idle 600s",
    "Dev Nostart",
    "Dev Over Heat",
    "Dev Thermal Cutoff",
    "Dev Comms Error",
    "Dev Throttle",
)


def named(now: Snapshot) -> list[tuple[DeviceRow, str, int]]:
    """Each device with its kind (CPU, GPU) and its number among that kind."""
    seen: dict[str, int] = {}
    found = []
    for row in now.devices:
        kind = row.kind.upper()
        seen[kind] = seen.get(kind, -1) + 1
        found.append((row, kind, seen[kind]))
    return found


def workers(now: Snapshot, device: DeviceRow) -> list[WorkerRow]:
    return [row for row in now.workers if (row.device, row.kind) == (device.name, device.kind)]


def status(rows: list[WorkerRow]) -> str:
    told = {STATES.get(row.state.partition(":")[0], "Sick") for row in rows}
    return next((word for word in BEST_FIRST if word in told), "NoStart")


def ascs(now: Snapshot, wall_s: float) -> list[Row]:
    """Rows of `devs`; what counts shares is known only of a device that is alone."""
    rows: list[Row] = []
    for place, (device, kind, own) in enumerate(named(now)):
        row: Row = [("ASC", number(place)), ("Name", kind), ("ID", number(own)), ("Enabled", "Y")]
        row.append(("Status", status(workers(now, device))))
        warmth = None if device.sensors is None else device.sensors.temperature_c
        if warmth is not None:
            row.append(("Temperature", decimal(warmth, 2)))
        average_hs = device.hashes / now.run.elapsed_s if now.run.elapsed_s else 0.0
        row += rates(device.rates, average_hs)
        alone = len(now.devices) == 1
        row += found(now, device) if alone else [("Hardware Errors", number(device.false_hits))]
        row.append(("Total MH", decimal(device.hashes / 1e6, 4)))
        work = diff1(device.hashes)
        row.append(("Diff1 Work", number(int(work))))
        row += worth(now) if alone else []
        row += [
            ("No Device", flag(False)),
            ("Last Valid Work", whole(wall_s if device.hashes else 0)),
            ("Device Hardware%", percent(device.false_hits, device.false_hits + work)),
        ]
        rejected = sum(source.rejected_difficulty for source in now.sources)
        row += [("Device Rejected%", percent(rejected, work))] if alone else []
        rows.append([*row, ("Device Elapsed", whole(now.run.elapsed_s))])
    return rows


def found(now: Snapshot, device: DeviceRow) -> Row:
    """Shares of the only device: all of the run's."""
    last = max(now.sources, key=lambda row: row.accepted_at_s or 0.0, default=None)
    minutes = max(now.run.elapsed_s, 1.0) / 60
    return [
        ("Accepted", number(now.shares.accepted)),
        ("Rejected", number(now.shares.rejected)),
        ("Hardware Errors", number(device.false_hits)),
        ("Utility", decimal(now.shares.accepted / minutes, 2)),
        ("Last Share Pool", number(now.sources.index(last) if last else -1)),
        ("Last Share Time", whole((last and last.accepted_at_s) or 0)),
    ]


def worth(now: Snapshot) -> Row:
    last = max(now.sources, key=lambda row: row.accepted_at_s or 0.0, default=None)
    return [
        ("Difficulty Accepted", decimal(sum(row.accepted_difficulty for row in now.sources), 8)),
        ("Difficulty Rejected", decimal(sum(row.rejected_difficulty for row in now.sources), 8)),
        ("Last Share Difficulty", decimal((last and last.accepted_last_difficulty) or 0.0, 8)),
    ]


def details(now: Snapshot) -> list[Row]:
    """Rows of `devdetails`."""
    rows: list[Row] = []
    for place, (device, kind, own) in enumerate(named(now)):
        driver, _, kernel = next((row.name for row in workers(now, device)), "").partition(":")
        row: Row = [("DEVDETAILS", number(place)), ("Name", kind), ("ID", number(own))]
        row += [("Driver", driver), ("Kernel", kernel), ("Model", model(device.name, kind))]
        rows.append([*row, ("Device Path", "")])
    return rows


def model(name: str, kind: str) -> str:
    """The hardware's name, unless another maker's miner would be seen in it."""
    return kind if any(make in name.lower() for make in MAKES) else name


def notes(now: Snapshot, wall_s: float) -> list[Row]:
    """Rows of `notify`: faults of a device are errors of its communication, the rest never is."""
    rows: list[Row] = []
    for place, (device, kind, own) in enumerate(named(now)):
        counts = dict.fromkeys(FAULTS, 0) | {"Dev Comms Error": device.faults}
        well = status(workers(now, device)) == "Alive"
        rows.append(
            [
                ("NOTIFY", number(place)),
                ("Name", kind),
                ("ID", number(own)),
                ("Last Well", whole(wall_s if well else 0)),
                ("Last Not Well", whole(0 if well else wall_s)),
                ("Reason Not Well", "None" if well else "Device sick"),
                *((f"*{name}", number(count)) for name, count in counts.items()),
            ]
        )
    return rows


def device_stats(now: Snapshot) -> list[tuple[str, Row]]:
    """ID and what else is known of each device: its clock, as exporters look for it."""
    found: list[tuple[str, Row]] = []
    for device, kind, own in named(now):
        clock = None if device.sensors is None else device.sensors.clock_mhz
        found.append((f"{kind}{own}", [] if not clock else [("frequency", whole(clock))]))
    return found
