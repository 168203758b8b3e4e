"""Joules per hash."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from miner.devices import energy
from miner.devices.gpu import load_nvml
from miner.errors import ConfigError
from miner.gap import arithmetic, economics, hardware
from miner.learn import network
from miner.learn.live import Live, Point, Shown, Si, word
from miner.learn.mining import bench_unit, open_quick, open_workers, rate
from miner.learn.steps import Setting
from miner.measure import cases
from miner.measure.session import card
from miner.measure.threads import Threads

QUOTED = (
    "Pencil and paper (human)", "Desktop PC on a power meter (2010)", "Radeon HD 7970",
    "Avalon Batch 1", "Antminer S9", "Antminer S21",
)  # fmt: skip
PLAIN = {QUOTED[0]: "pencil", QUOTED[1]: "desktop"}  # no brands: told in the lesson's language
BOUNDARIES = ("package", "board")  # of energy counters, told in the lesson's language
TIMED_S, QUICK_TIMED_S = 3.0, 0.3
METER_S, QUICK_METER_S = 20.0, 0.5  # long enough to read a meter
FARM_HS = 1e17  # a hall that mines one block: the other way round


@dataclass(frozen=True, slots=True)
class Measured:
    """What hashed, how fast, and at how many watts; None where nothing tells."""

    what: Shown  # "One core of this computer"
    speed: float
    watts: float | None
    boundary: Shown  # what the watts cover
    reasons: tuple[str, ...] = ()

    @property
    def j_per_th(self) -> float:
        """Joules for 10^12 hashes, of a measurement that has watts."""
        return (self.watts or 0.0) / self.speed * 1e12


def screens(setting: Setting) -> Iterator[Live]:
    """Own rate and, where known, own watts; the axis; the cost of a block."""
    watts = setting.figures.get("watts")
    if watts is not None and not 0 < watts < 1e6:
        raise ConfigError(f"--watts {watts:g}: want more than 0 and less than 1000000")
    if watts is None:
        measured = _by_counter(setting)
    else:
        yield Live("meter", seconds=_meter_s(setting))
        measured = _by_meter(setting, watts)
    yield _own(measured)
    yield _axis(measured)
    yield _block(measured, setting)


def _by_counter(setting: Setting) -> Measured:
    """One core, and the computer's own energy counter where it has one."""
    seconds = QUICK_TIMED_S if setting.quick else TIMED_S
    setting.progress(word("timing", seconds=seconds))
    backend = open_quick(setting.backend)
    try:
        unit = bench_unit(backend.info.versions_wanted, 0)
        gpu, buses = card(backend)
        meter, reasons = energy.find(gpu, Path("/sys"), load_nvml() if gpu else None, buses)
        begun, before = time.monotonic(), meter.joules() if meter else 0.0
        speed = rate(backend, unit, seconds)
        used = (meter.joules() - before) / (time.monotonic() - begun) if meter else None
        covers = meter.boundary if meter else ""
        if meter:
            meter.close()
    finally:
        backend.close()
    boundary: Shown = word(covers) if covers in BOUNDARIES else covers
    return Measured(word("one_core"), speed, used, boundary, tuple(reasons))


def _meter_s(setting: Setting) -> float:
    return QUICK_METER_S if setting.quick else METER_S


def _by_meter(setting: Setting, watts: float) -> Measured:
    """Every core, beside the watts that the learner read at the wall."""
    backends = open_workers(setting.backend)
    count, wanted = len(backends), max(backends[0].info.versions_wanted, 1)
    threads = Threads(backends, cases.job(setting.seed, rolling=wanted > 1), wanted)
    setting.progress(word("meter", seconds=_meter_s(setting)))
    try:
        ran = threads.run(_meter_s(setting))
    finally:
        threads.close()
    what = word("workers", count=count) if count > 1 else word("worker")
    return Measured(what, ran.hashes / ran.seconds, watts, word("wall"))


def _own(measured: Measured) -> Live:
    known = measured.watts is not None
    return Live(
        "own",
        what=measured.what,
        speed=Si(measured.speed, "H/s"),
        known=known,
        watts=measured.watts or 0.0,
        boundary=measured.boundary,
        hash_j=measured.j_per_th / 1e12,
        th_j=measured.j_per_th,
        reasons="; ".join(measured.reasons)[:240] or word("no_counter"),
        code=energy.find,
    )


def _rows() -> list[hardware.HardwareRow]:
    table = {row.name: row for row in hardware.load()}
    rows = [table[name] for name in QUOTED if name in table]
    best = min((row for row in table.values() if row.j_per_th), key=lambda row: row.j_per_th or 0)
    return [row for row in (*rows, best) if row.j_per_th]


def _name(row: hardware.HardwareRow) -> Shown:
    return word(PLAIN[row.name]) if row.name in PLAIN else row.name


def _axis(measured: Measured) -> Live:
    rows = _rows()
    points = [Point(_name(row), row.j_per_th or 1) for row in rows]
    if measured.watts is not None:
        points.append(Point(word("own"), measured.j_per_th, "own"))
    factor = (rows[0].j_per_th or 1) / (rows[-1].j_per_th or 1)
    return Live(
        "axis",
        energy=points,
        machines=[(_name(row), row.j_per_th, row.released, row.source_url) for row in rows],
        factor=factor,
        span=factor > 1e15,
    )


def _block(measured: Measured, setting: Setting) -> Live:
    known, net = economics.load(), network.difficulty(setting)
    hashes, best = arithmetic.hashes_for(net.value), _rows()[-1]
    best_j = best.j_per_th or 1.0
    hall = arithmetic.network_from(known)
    kwh, tariff = arithmetic.kwh(best_j, hashes), hall.tariffs[0]
    rows: list[tuple[Shown, ...]] = [(best.name, Si(kwh * 1e3, "Wh"), _usd(kwh * tariff.value))]
    at_home = known["tariff_us_residential"]
    if measured.watts is not None:
        own = arithmetic.kwh(measured.j_per_th, hashes)
        rows.append((word("own"), Si(own * 1e3, "Wh"), _usd(own * at_home.value)))
    # The other way round: a hall of so many watts, for as long as a block takes it.
    by_time = FARM_HS * best_j / 1e12 / 1e3 * (hashes / FARM_HS / 3600)
    home = word("home", tariff=at_home.value, date=at_home.as_of)
    return Live(
        "block",
        cost=rows,
        date=net.as_of,
        hall_tariff=tariff.value,
        hall_date=tariff.as_of,
        home=home if measured.watts is not None else "",
        subsidy=float(hall.subsidy.value),
        energy=abs(kwh / by_time - 1) < 1e-9,
        best_j=best_j,
        best_low=best_j * 0.99,
        best_high=best_j * 1.01,
        code=arithmetic.kwh,
    )


def _usd(value: float) -> Shown:
    return word("usd", value=value)
