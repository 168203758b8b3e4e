"""How far this computer is from an ASIC: per second, per joule, per coin. Pure arithmetic.

Every figure comes from the result, the hardware table or economics.csv; none is made up, and a
value that cannot be known (no joules measured) is None.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from miner import units
from miner.bitcoin.target import expected_hashes, target_from_difficulty
from miner.devices.energy import Given
from miner.errors import ConfigError
from miner.gap.economics import Figure
from miner.gap.hardware import HardwareRow
from miner.measure import proof, stats
from miner.measure.result import GIVEN, WALL, CaseResult, Result

J_PER_KWH = 3.6e6
DAY_S = 86400.0
MISSING = {  # by boundary: what is not in it, and by how much that may count
    "package": "Package joules leave out memory, board, fans and supply; the ASIC's are at the "
    "wall. Of a PC of 2010, 160 W at the wall, 40 W came with mining: the gap at the wall may be "
    "up to 4 times larger.",
    "board": "Board joules leave out the rest of the computer and its supply; the ASIC's are at "
    "the wall, so the gap there is larger.",
    "machine": "Joules from the battery leave out the charger's loss, some 10 to 20 %.",
}


SHORT = {  # the same in a few words, for every place where the joules stand beside an ASIC's
    "package": "This computer's are package joules: at the wall up to 4 times more.",
    "board": "This computer's are board joules: at the wall more.",
    "machine": "This computer's are joules from its battery: at the wall 10 to 20 % more.",
}


@dataclass(frozen=True, slots=True)
class Own:
    """This computer, from a result file or a run just made."""

    label: str  # backend, threads, versions
    machine: str
    measured: str  # date and time
    rate_hs: float
    ci95: tuple[float, float] | None
    trust: str  # with "interrupted" where the run did not come to its end
    j_per_th: float | None
    boundary: str  # of the joules; "" when there are none
    energy_source: str
    basis: str = WALL  # what the rate divides by; CPU time when the machine was shared
    wall_hs: float | None = None  # what it did beside the others, when the rate is by CPU time
    length: str = ""  # "16 s burst" or "sustained over 10 minutes": every projection says it
    burst_hs: float | None = None  # beside a sustained rate
    j_ci95: tuple[float, float] | None = None  # of j_per_th
    disturbed: bool = False  # others had a part of the machine, and of counted joules
    proven: float | None = None  # of the hashes, by their shares; None when the file holds none

    @property
    def given(self) -> bool:
        """Are the joules watts that the user typed in?"""
        return self.energy_source == GIVEN

    @property
    def called(self) -> str:
        """Its name wherever its joules are used."""
        return "this computer, watts given" if self.given else "this computer"

    @property
    def short_of(self) -> str:
        """What the joules leave out, in a few words; "" when nothing."""
        return SHORT.get(self.boundary, "") if self.j_per_th is not None else ""

    @property
    def missing(self) -> str:
        """What the joules leave out, beside an ASIC's at the wall; "" when nothing."""
        said = MISSING.get(self.boundary, "")
        if self.j_per_th is not None and self.disturbed and not self.given:
            said = f"{said} They hold other programs' work too.".strip()
        return said if self.j_per_th is not None else ""


@dataclass(frozen=True, slots=True)
class Era:
    """A dated machine beside this computer. Factors above 1: the machine is better."""

    role: str
    row: HardwareRow
    times_rate: float
    times_energy: float | None


@dataclass(frozen=True, slots=True)
class Network:
    """The dated figures the money rests on."""

    difficulty: Figure
    price: Figure
    subsidy: Figure
    hashprices: tuple[Figure, ...]  # USD per PH/s and day, newest first
    tariffs: tuple[Figure, ...]
    carbon: Figure  # gCO2e/kWh

    @property
    def hashes(self) -> float:
        """Expected hashes for a block."""
        return hashes_for(self.difficulty.value)

    @property
    def reward_usd(self) -> float:
        """Subsidy alone: fees of that day are not known."""
        return self.subsidy.value * self.price.value

    @property
    def income_usd(self) -> float:
        """What the hashes of a block earn at the newest hashprice, fees with it; the break-even
        tariffs rest on the same figure."""
        return self.hashprices[0].value * self.hashes / 1e15 / DAY_S


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a machine can expect when it mines alone."""

    name: str
    rate_hs: float
    share_s: float  # mean time to a share of difficulty 1
    block_s: float
    chance_year: float
    j_per_th: float | None
    kwh_block: float | None
    break_even: tuple[float, ...] | None  # USD/kWh, one for each hashprice


def own_from(result: Result, watts: float | None = None) -> Own:
    """The fastest valid case. `watts` from a wall meter replaces measured joules.

    Raises ConfigError when nothing valid was measured.
    """
    case = result.best()
    if case is None:
        raise ConfigError("the result holds no valid measurement; run `miner bench` again")
    summary = case.summary(result.seed)
    assert summary is not None
    rate = case.sustained_hs or summary.median
    energy, boundary, source = None, "", ""
    if watts is not None:
        Given(watts)  # raises for a wrong one
        hashes = sum(one.hashes for one in case.slices)  # by the wall, as the meter's watts
        energy, boundary, source = watts * case.seconds / hashes * 1e12, "wall", GIVEN
    elif case.energy:
        energy, boundary = case.energy.gross_j_per_th, case.energy.boundary
        source = case.energy.source
    return Own(
        label=case.spelled,
        machine=case.device if case.on_gpu else str(result.environment.get("cpu")),
        measured=result.created,
        rate_hs=rate,
        ci95=summary.ci95 if case.sustained_hs is None else None,
        trust=case.trust().word + (", interrupted: partial results" if result.partial else ""),
        j_per_th=energy,
        boundary=boundary,
        energy_source=source,
        basis=case.basis,
        wall_hs=stats.centre(case.rates()) if case.basis != WALL else None,
        length=case.length,
        burst_hs=case.burst_hs if case.sustained_hs is not None else None,
        j_ci95=case.energy_interval(result.seed) if watts is None else None,
        disturbed=case.trust().disturbed,
        proven=_proven(result, case),
    )


def _proven(result: Result, case: CaseResult) -> float | None:
    """How much of a case's hashes its shares prove, None without any."""
    found = (one.share_proven for one in proof.check(result) if one.case is case and case.proof)
    return next(found, None)


def hashes_for(difficulty: float) -> float:
    """Mean hashes until one meets the difficulty: 2^256 / (target + 1), about D x 2^32."""
    return float(expected_hashes(target_from_difficulty(Fraction(difficulty))))


def chance(seconds: float, rate_hs: float, hashes: float) -> float:
    """Probability of at least one find; expm1 keeps the digits of a chance of 1e-9."""
    return -math.expm1(-seconds * rate_hs / hashes)


def kwh(j_per_th: float, hashes: float) -> float:
    return j_per_th * 1e-12 * hashes / J_PER_KWH


def break_even(j_per_th: float, hashprice: float) -> float:
    """Tariff in USD/kWh at which electricity eats the income; hashprice in USD per PH/s and day."""
    return hashprice / (24 * j_per_th)


def prospect(name: str, rate_hs: float, j_per_th: float | None, network: Network) -> Prospect:
    hashes = network.hashes
    return Prospect(
        name=name,
        rate_hs=rate_hs,
        share_s=hashes_for(1) / rate_hs,
        block_s=hashes / rate_hs,
        chance_year=chance(units.YEAR_S, rate_hs, hashes),
        j_per_th=j_per_th,
        kwh_block=None if j_per_th is None else kwh(j_per_th, hashes),
        break_even=None
        if j_per_th is None
        else tuple(break_even(j_per_th, price.value) for price in network.hashprices),
    )


HOME = ("Bitaxe Gamma 601 (BM1370)", "Avalon Q")
PC_2010 = "Desktop PC on a power meter (2010)"


def eras(own: Own, table: list[HardwareRow]) -> list[Era]:
    """In order of date: the first miner, the PC of 2010, the best GPUs and FPGA, the best ASIC of
    every year since 2013, two machines for the home, and the user's own rows.

    A row has one role: its first.
    """
    by_name = {row.name: row for row in table}
    cpus = [row for row in table if row.kind == "cpu" and row.year >= 2009]
    chosen = [("your own row", row) for row in table if row.own]
    chosen += [("PC of 2010", by_name[PC_2010])] if PC_2010 in by_name else []
    chosen.append(("first miner", min(cpus, key=lambda row: row.year)))
    chosen += [
        ("fastest CPU", max(cpus, key=lambda row: row.hashrate_hs)),
        ("GPU, fewest joules", best(table, "gpu")),
        ("GPU, fastest", max(_of(table, "gpu"), key=lambda row: row.hashrate_hs)),
        ("FPGA, fewest joules", best(table, "fpga")),
        ("first ASIC", min(_of(table, "asic"), key=lambda row: row.year)),
        ("best announced", best(table, "asic")),
        ("best ASIC sold", best(sold(table), "asic")),
        ("best for the home", best(table, "home-asic")),
    ]
    chosen += [("home ASIC", by_name[name]) for name in HOME if name in by_name]
    for year in sorted({int(row.year) for row in _of(table, "asic")}):
        of_year = [row for row in sold(table) if row.kind == "asic" and int(row.year) == year]
        if of_year:
            chosen.append((f"best of {year}", best(of_year, "asic")))
    roles: dict[HardwareRow, str] = {}
    for role, row in chosen:
        roles.setdefault(row, role)
    rows = sorted(roles, key=lambda row: (row.year, row.name))
    return [compare(own, roles[row], row) for row in rows]


def sold(table: list[HardwareRow]) -> list[HardwareRow]:
    return [row for row in table if not row.announced_only]


def _of(table: list[HardwareRow], kind: str) -> list[HardwareRow]:
    return [row for row in table if row.kind == kind]


def best(table: list[HardwareRow], kind: str) -> HardwareRow:
    """Fewest joules for a hash."""
    return min(_of(table, kind), key=lambda row: row.j_per_th or math.inf)


def compare(own: Own, role: str, row: HardwareRow) -> Era:
    energy = None
    if own.j_per_th is not None and row.j_per_th is not None:
        energy = own.j_per_th / row.j_per_th
    return Era(role, row, row.hashrate_hs / own.rate_hs, energy)


def year_led(
    rate_hs: float, table: list[HardwareRow], figures: Mapping[str, Figure]
) -> tuple[float | None, HardwareRow | None]:
    """Until when no machine of the table was faster than this one, and the machine that ended it.

    Graphics cards count from the day GPU mining began. (None, row) when a machine of 2009 already
    was faster; (year, None) when nothing in the table is.
    """
    gpus_from = figures["history_gpu_mining_began"].value
    dated = sorted(
        (max(row.year, gpus_from) if row.kind == "gpu" else row.year, row.name, row)
        for row in table
        if row.hashrate_hs > rate_hs
    )
    if not dated:
        return max(row.year for row in table), None
    when, _, row = dated[0]
    return (None if when < 2010 else when), row


def network_share(rate_hs: float, figures: Mapping[str, Figure]) -> list[tuple[Figure, float]]:
    """This computer beside the whole network at dated points: (figure, own / network)."""
    points = [
        figure
        for key, figure in figures.items()
        if key.startswith("history_hashrate_") or key == "network_hashrate"
    ]
    return [(point, rate_hs / point.value) for point in sorted(points, key=lambda one: one.as_of)]


PRESETS = (
    "us_residential",
    "us_texas_industrial",
    "us_hawaii_residential",
    "eu_household",
    "germany_household",
    "hungary_household",
    "gb_household_cap",
    "ethiopia_miners_2026_07_derived",
    "paraguay_contract",
)
MINERS_MEDIAN = "industry_electricity_cost_median"


def network_from(
    figures: Mapping[str, Figure],
    difficulty: Figure | None = None,
    price: Figure | None = None,
    hashprice: Figure | None = None,
    tariff: Figure | None = None,
) -> Network:
    """Shipped or own figures, each replaced by what the user gave."""
    presets = [figures[f"tariff_{name}"] for name in PRESETS if f"tariff_{name}" in figures]
    return Network(
        difficulty=difficulty or figures["network_difficulty_derived"],
        price=price or figures["btc_price"],
        subsidy=figures["block_subsidy"],
        hashprices=(hashprice,) if hashprice
        else (figures["hashprice"], figures["hashprice_2026_q1_low"]),
        tariffs=((tariff,) if tariff else ()) + (figures[MINERS_MEDIAN], *presets),
        carbon=figures["industry_carbon_intensity_derived"],
    )  # fmt: skip
