"""Lesson 11: joules per hash."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from miner.devices import energy
from miner.devices.gpu import load_nvml
from miner.errors import ConfigError
from miner.gap import arithmetic, economics, hardware
from miner.learn.answers import near_judge
from miner.learn.mining import bench_unit, open_quick, open_workers, rate
from miner.learn.steps import (
    Axis,
    Check,
    Item,
    Mark,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.measure import cases
from miner.measure.session import card
from miner.measure.threads import Threads
from miner.units import si

QUOTED = (
    "Pencil and paper (human)", "Desktop PC on a power meter (2010)", "Radeon HD 7970",
    "Avalon Batch 1", "Antminer S9", "Antminer S21",
)  # fmt: skip
TIMED_S, QUICK_TIMED_S = 3.0, 0.3
METER_S, QUICK_METER_S = 20.0, 0.5  # long enough to read a meter
J_PER_KWH = 3.6e6
AI_FACTOR = "ai_cloud_over_local_per_joule_high"


@dataclass(frozen=True, slots=True)
class Measured:
    """What hashed, how fast, and at how many watts; None where nothing tells."""

    what: str  # "One core of this computer"
    speed: float
    watts: float | None
    boundary: str  # what the watts cover
    reasons: tuple[str, ...] = ()


def screens(setting: Setting) -> Iterator[Screen]:
    """Own rate and, where known, own watts; the axis; the cost of a block."""
    watts = setting.figures.get("watts")
    if watts is not None and not 0 < watts < 1e6:
        raise ConfigError(f"--watts {watts:g}: want more than 0 and less than 1000000")
    if watts is None:
        measured = _by_counter(setting)
    else:
        yield _read_your_meter(setting)
        measured = _by_meter(setting, watts)
    yield _own(measured)
    yield _axis(measured)
    yield _block(measured)


def _by_counter(setting: Setting) -> Measured:
    """One core, and the computer's own energy counter where it has one."""
    seconds = QUICK_TIMED_S if setting.quick else TIMED_S
    backend = open_quick(setting.backend)
    try:
        unit = bench_unit(backend.info.versions_wanted, 0)
        gpu, buses = card(backend)
        meter, reasons = energy.find(gpu, Path("/sys"), load_nvml() if gpu else None, buses)
        begun, before = time.monotonic(), meter.joules() if meter else 0.0
        speed = rate(backend, unit, seconds)
        used = (meter.joules() - before) / (time.monotonic() - begun) if meter else None
        boundary = meter.boundary if meter else ""
        if meter:
            meter.close()
    finally:
        backend.close()
    return Measured("One core of this computer", speed, used, boundary, tuple(reasons))


def _read_your_meter(setting: Setting) -> Screen:
    seconds = QUICK_METER_S if setting.quick else METER_S
    return Screen(
        "Read your meter now",
        (
            Text(
                f"When you go on, every core hashes for {seconds:g} s, as all do while mining: a "
                "meter at the wall shows the whole computer, so the whole computer must work. Is "
                "the number you gave what it shows then? If not, start again with it."
            ),
        ),
    )


def _by_meter(setting: Setting, watts: float) -> Measured:
    """Every core, beside the watts that the learner read at the wall."""
    backends = open_workers(setting.backend)
    count, wanted = len(backends), max(backends[0].info.versions_wanted, 1)
    threads = Threads(backends, cases.job(setting.seed, rolling=wanted > 1), wanted)
    try:
        ran = threads.run(QUICK_METER_S if setting.quick else METER_S)
    finally:
        threads.close()
    what = f"{count} workers of this computer" if count > 1 else "One worker of this computer"
    return Measured(what, ran.hashes / ran.seconds, watts, "wall, given by user")


def _own(measured: Measured) -> Screen:
    speed, watts = measured.speed, measured.watts
    extra: tuple[Item, ...]
    if watts is None:
        why = "; ".join(measured.reasons)[:240] or "no energy counter was found"
        extra = (
            Text(
                f"How many joules it took is **not known**: {why}.\n\nWith a meter at the wall: "
                "`miner learn joules --watts W`. Nothing is guessed here."
            ),
        )
    else:
        extra = (
            Table(
                "",
                ("", ""),
                (
                    ("power", f"{watts:.1f} W ({measured.boundary})"),
                    ("energy for a hash", f"{watts / speed:.3g} J"),
                    ("energy for a million million hashes", f"{watts / speed * 1e12:,.0f} J/TH"),
                ),
            ),
        )
    return Screen(
        "What does one hash cost?",
        (
            Text(f"{measured.what}: **{si(speed, 'H/s', 3)}**."),
            *extra,
            code(energy.find),
        ),
    )


def _rows() -> list[hardware.HardwareRow]:
    table = {row.name: row for row in hardware.load()}
    rows = [table[name] for name in QUOTED if name in table]
    best = min((row for row in table.values() if row.j_per_th), key=lambda row: row.j_per_th or 0)
    return [*rows, best]


def _axis(measured: Measured) -> Screen:
    rows = [row for row in _rows() if row.j_per_th]
    marks = [Mark(row.name, row.j_per_th or 1, "fixed") for row in rows]
    if measured.watts is not None:
        marks.append(Mark("this computer", measured.watts / measured.speed * 1e12, "own"))
    first, last = rows[0].j_per_th or 1, rows[-1].j_per_th or 1
    return Screen(
        "Eighteen powers of ten",
        (
            Axis("energy for 10^12 hashes", "J/TH", tuple(marks), note="@ this computer"),
            Table(
                "quoted, not measured here",
                ("machine", "J/TH", "date", "source"),
                tuple(
                    (row.name, f"{row.j_per_th:.3g}", row.released, row.source_url) for row in rows
                ),
                "a person's or a whole PC's watts beside an ASIC's nominal ones: up to 4x is only "
                "the boundary",
            ),
            Check(
                f"from first to last the table spans a factor of {first / last:.1e}",
                first / last > 1e15,
                "miner hardware --sort efficiency",
            ),
        ),
    )


def _block(measured: Measured) -> Screen:  # one screen, mostly its text
    speed, watts = measured.speed, measured.watts
    known = economics.load()
    network = arithmetic.network_from(known)
    best = _rows()[-1]
    hall_kwh = arithmetic.kwh(best.j_per_th or 1, network.hashes)
    rows = [(best.name, f"{hall_kwh:,.3g} kWh", f"{hall_kwh * network.tariffs[0].value:,.0f} USD")]
    if watts is not None:
        own_kwh = arithmetic.kwh(watts / speed * 1e12, network.hashes)
        home = known["tariff_us_residential"]
        rows.append(("this computer", f"{own_kwh:,.3g} kWh", f"{own_kwh * home.value:,.3g} USD"))
    return Screen(
        "Energy for one block",
        (
            Table(
                "",
                ("", "energy", "cost"),
                tuple(rows),
                f"difficulty of {network.difficulty.as_of}; tariffs: {network.tariffs[0].key} "
                f"{network.tariffs[0].as_of}"
                + (", tariff_us_residential" if watts is not None else ""),
            ),
            Text(
                f"A block pays {network.subsidy.value} coins. No program closes this gap: an ASIC "
                "moves the same bits over fewer, smaller transistors. Compare running language "
                f"models: cloud machines need up to {known[AI_FACTOR].value:g} times less energy "
                f"than a good laptop ({known[AI_FACTOR].as_of}, published), not a million times."
            ),
            Check(
                "energy is hashes times joules a hash",
                abs(hall_kwh - network.hashes * (best.j_per_th or 1) / 1e12 / J_PER_KWH)
                < 1e-6 * hall_kwh,
                "hashes x J/TH / 1e12 / 3.6e6",
            ),
            code(arithmetic.kwh),
            Question(
                f"At {best.j_per_th} J/TH, how many joules are 10^12 hashes?",
                f"{best.j_per_th}",
                near_judge((best.j_per_th or 1) * 0.99, (best.j_per_th or 1) * 1.01),
                "J/TH says exactly that: joules for a tera (10^12) of hashes.",
            ),
        ),
    )
