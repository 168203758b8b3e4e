"""Lesson 11: joules per hash."""

import time
from collections.abc import Iterator
from pathlib import Path

from miner.devices import energy
from miner.devices.gpu import load_nvml
from miner.errors import ConfigError
from miner.gap import arithmetic, economics, hardware
from miner.learn.mining import bench_unit, open_quick, rate, si
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
    near_judge,
)  # fmt: skip
from miner.measure.session import card

QUOTED = (
    "Pencil and paper (human)", "Desktop PC on a power meter (2010)", "Radeon HD 7970",
    "Avalon Batch 1", "Antminer S9", "Antminer S21",
)  # fmt: skip
TIMED_S, QUICK_TIMED_S = 3.0, 0.3
J_PER_KWH = 3.6e6
AI_FACTOR = "ai_cloud_over_local_per_joule_high"


def screens(setting: Setting) -> Iterator[Screen]:
    """Own rate and, where known, own watts; the axis; the cost of a block."""
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
    watts = setting.figures.get("watts")
    if watts is not None and not 0 < watts < 1e6:
        raise ConfigError(f"--watts {watts:g}: want more than 0 and less than 1000000")
    own = (watts, "wall, given by user") if watts else (used, boundary)
    yield _own(speed, own, reasons)
    yield _axis(speed, own)
    yield _block(speed, own[0])


def _own(speed: float, own: tuple[float | None, str], reasons: list[str]) -> Screen:
    watts, boundary = own
    extra: tuple[Item, ...]
    if watts is None:
        why = "; ".join(reasons)[:240] or "no energy counter was found"
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
                    ("power", f"{watts:.1f} W ({boundary})"),
                    ("energy for a hash", f"{watts / speed:.3g} J"),
                    ("energy for a million million hashes", f"{watts / speed * 1e12:,.0f} J/TH"),
                ),
            ),
        )
    return Screen(
        "What does one hash cost?",
        (
            Text(f"One core of this computer makes **{si(speed)}**."),
            *extra,
            Check("hashes were counted and time was measured", speed > 0, "miner bench --watts W"),
            code(energy.find),
        ),
    )


def _rows() -> list[hardware.HardwareRow]:
    table = {row.name: row for row in hardware.load()}
    rows = [table[name] for name in QUOTED if name in table]
    best = min((row for row in table.values() if row.j_per_th), key=lambda row: row.j_per_th or 0)
    return [*rows, best]


def _axis(speed: float, own: tuple[float | None, str]) -> Screen:
    rows = [row for row in _rows() if row.j_per_th]
    marks = [Mark(row.name, row.j_per_th or 1, "fixed") for row in rows]
    if own[0] is not None:
        marks.append(Mark("this computer", own[0] / speed * 1e12, "own"))
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


def _block(speed: float, watts: float | None) -> Screen:  # one screen, mostly its text
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
