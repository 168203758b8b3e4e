"""The tables of the gap report as plain cells: the terminal and the page print the same ones."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from miner import units
from miner.gap import arithmetic, csvfile, payback
from miner.gap.arithmetic import Network, Own, Prospect
from miner.gap.economics import Figure
from miner.gap.hardware import BOUNDARY_SENTENCE, HardwareRow
from miner.gap.twogaps import Bar

MACHINES = ("Bitaxe Gamma 601 (BM1370)", "Avalon Q", "Antminer S21")
OWN, ERAS, ALONE = "This computer", "Beside the machines of every era", "Mining alone"
PAYS, BLOCK = "Which machine pays at which tariff", "Electricity for one block"
HISTORY, GAPS = "When it would have mattered", "Two gaps between home and hall"
BARS = "log scale"
LONGEST_BAR = 12  # characters


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its caption; the first `left` columns hold words, the others figures.

    `least`: columns that a narrow screen leaves out, the least needed first.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    note: str = ""
    left: int = 1
    least: tuple[str, ...] = ()


def own(one: Own) -> Sheet:
    interval = units.interval(*one.ci95, one.rate_hs) if one.ci95 else "n/a"
    joules = "n/a: no counter could be read; give --watts W from a wall meter"
    if one.j_per_th is not None:
        spread = ""
        if one.j_ci95 is not None:
            spread = " 95 % [{}, {}]".format(*(units.significant(x, 3) for x in one.j_ci95))
        joules = f"{units.energy(one.j_per_th)}{spread}, {one.boundary} ({one.energy_source})"
    rows = [
        ["machine", one.machine],
        ["measured", f"{one.measured}, {one.label}"],
        ["hashrate, median", f"{units.rate(one.rate_hs)}  95 % {interval}  {one.trust}"],
        ["by", f"{one.basis}, {one.length}"],
        ["energy", joules],
        ["proof", _proof(one)],
    ]
    if one.wall_hs is not None:
        rows.insert(3, ["by wall time", f"{units.rate(one.wall_hs)}: others had the rest; every "
                        f"ratio here uses the rate by {one.basis}"])  # fmt: skip
    if one.burst_hs is not None:
        rows.insert(3, ["burst", f"{units.rate(one.burst_hs)} in the first 16 s"])
    return Sheet(OWN, ("", ""), rows, one.missing, left=2)


def _proof(one: Own) -> str:
    if one.proven is None:
        return "none: the result holds no shares"
    return (
        f"{units.percent(one.proven)} of the hashes, by shares that anybody can hash again (miner "
        "bench verify); not the seconds"
    )


def eras(found: list[arithmetic.Era], short_of: str = "") -> Sheet:
    """Every era; the bar is the logarithm of the hashrate ratio."""
    longest = max(math.log10(max(era.times_rate, 1)) for era in found) or 1
    rows = []
    for era in found:
        row = era.row
        length = round(LONGEST_BAR * math.log10(max(era.times_rate, 1)) / longest)
        rows.append([
            row.released, row.name, era.role, units.rate(row.hashrate_hs),
            units.energy(row.j_per_th), units.ratio(era.times_rate),
            units.ratio(era.times_energy), source(row),
            ("█" * length).ljust(LONGEST_BAR),
        ])  # fmt: skip
    columns = ("date", "machine", "role", "hashrate", "energy", "times as fast",
               "times less energy", "source", BARS)  # fmt: skip
    note = f"Times: the machine set against this computer. {BOUNDARY_SENTENCE} {short_of}".strip()
    return Sheet(ERAS, columns, rows, note, left=3, least=(BARS, "source", "role"))


def source(row: HardwareRow) -> str:
    """Where a row's figures come from, and how good that is."""
    return f"{csvfile.place(row.source_url)} [{row.confidence}]"


def prospects(one: Own, table: list[HardwareRow], network: Network) -> Sheet:
    """Mining alone: mean times, chances, energy and the tariff that would break even."""
    by_name = {row.name: row for row in table}
    best = arithmetic.best(table, "asic")
    chosen = [by_name[name] for name in MACHINES if name in by_name]
    found = [arithmetic.prospect(one.called, one.rate_hs, one.j_per_th, network)]
    found += [
        arithmetic.prospect(row.name, row.hashrate_hs, row.j_per_th, network)
        for row in (*chosen, best)
    ]
    columns = ["machine", "share of difficulty 1", "a block every", "chance in a year",
               "kWh for a block"]  # fmt: skip
    columns += [f"break-even at {price.value:g}" for price in network.hashprices]
    note = (
        f"{difficulty(network)}. The times are means and no promise: it is a lottery, so read "
        "the chance. Break-even: the tariff in USD/kWh at "
        "which electricity eats the whole income, for each hashprice in USD per PH/s and day ("
        + "; ".join(f"{price.value:g}: {price.origin}" for price in network.hashprices)
        + f"); the machine itself is not paid for. {one.short_of}"
    ).strip()
    rows = [_prospect(row, len(network.hashprices)) for row in found]
    return Sheet(ALONE, tuple(columns), rows, note,
                 least=("share of difficulty 1", *columns[6:]))  # fmt: skip


def difficulty(network: Network) -> str:
    """With its date and source, as every figure here."""
    used = network.difficulty
    return f"Difficulty {units.significant(used.value)} ({used.origin})"


def _prospect(row: Prospect, prices: int) -> list[str]:
    cells = [
        row.name, units.span(row.share_s), units.span(row.block_s),
        units.chance(row.chance_year),
        "n/a" if row.kwh_block is None else units.large(row.kwh_block),
    ]  # fmt: skip
    if row.break_even is None:
        return [*cells, *["n/a"] * prices]
    return cells + [units.significant(tariff, 2) for tariff in row.break_even]


def pays(one: Own, table: list[HardwareRow], network: Network) -> Sheet:
    """Which machine pays where, in words."""
    price = network.hashprices[0]
    note = (
        f"At a hashprice of {price.value:g} {price.unit} ({price.origin}), with fees; USD tariffs "
        "per kWh. Keeps: the share of the income that electricity leaves; loses: how many times "
        "the income electricity costs; the machine itself is not paid for. "
    )
    note += f"{payback.sentence(table, network)} {one.short_of}".strip()
    columns = payback.columns(network)
    least = (columns[3], columns[4], columns[1], columns[-1])
    return Sheet(PAYS, columns, payback.rows(one, table, network), note, len(columns), least)


def money(one: Own, table: list[HardwareRow], network: Network) -> Sheet:
    """Electricity for a block by tariff, in the tariff's own currency."""
    best = arithmetic.best(table, "asic")
    assert best.j_per_th is not None  # the best has the fewest joules of all
    mine = None if one.j_per_th is None else arithmetic.kwh(one.j_per_th, network.hashes)
    theirs = arithmetic.kwh(best.j_per_th, network.hashes)
    rows = []
    for tariff in network.tariffs:
        currency = tariff.unit.partition("/")[0]
        said = "n/a"
        if currency == "USD":
            said = payback.word(best.j_per_th, tariff.value, network.hashprices[0].value)
        rows.append([
            payback.tariff_name(tariff), f"{tariff.value:g} {tariff.unit}", tariff.origin,
            "n/a" if mine is None else units.money(mine * tariff.value, currency),
            units.money(theirs * tariff.value, currency), said,
        ])  # fmt: skip
    carbon = "" if mine is None else (
        f" At {network.carbon.value:g} {network.carbon.unit} ({network.carbon.origin}) a block of "
        f"this computer would emit {units.large(mine * network.carbon.value / 1e6)} t "
        f"of CO2, one of the {best.name} {theirs * network.carbon.value / 1e6:.0f} t."
    )  # fmt: skip
    note = (
        f"The hashes of a block earn {units.money(network.income_usd, 'USD')} at the hashprice, "
        f"fees with it; the subsidy alone is {units.money(network.reward_usd, 'USD')}: "
        f"{network.subsidy.value:g} BTC at {units.money(network.price.value, 'USD')} "
        f"({network.price.origin}). Currencies stay as published.{carbon} {one.missing}"
    )
    columns = ("tariff", "price", "date, source", one.called, best.name, "result")
    return Sheet(BLOCK, columns, rows, note.strip(), 3, ("date, source", "price"))


def history(one: Own, table: list[HardwareRow], figures: Mapping[str, Figure]) -> Sheet:
    """This computer beside the whole network, and the year until which it would have led."""
    rows = [
        [
            figure.as_of,
            "Patoshi, one miner" if "Patoshi" in figure.note else "whole network",
            units.rate(figure.value),
            _share(part),
            figure.origin,
        ]
        for figure, part in arithmetic.network_share(one.rate_hs, figures)
    ]
    columns = ("date", "who", "rate", "this computer's part", "source")
    return Sheet(HISTORY, columns, rows, led(one, table, figures), 2, ("source",))


def _share(part: float) -> str:
    return (
        f"{units.significant(part, 3)} x" if part >= 1 else f"{units.significant(100 * part, 3)} %"
    )


def led(one: Own, table: list[HardwareRow], figures: Mapping[str, Figure]) -> str:
    """The year sentence."""
    year, row = arithmetic.year_led(one.rate_hs, table, figures)
    gpu = figures["history_gpu_mining_began"]
    if row is None:
        return "No single machine of the table is faster than this computer."
    if year is None:
        return f"This computer would not have led in 2009 either: {row.name} was faster."
    return (
        f"This computer would have been the fastest machine of the table until about {int(year)}: "
        f"{row.name} ({row.released}, {units.rate(row.hashrate_hs)}) ended that. Graphics cards "
        f"count from {gpu.as_of}, when GPU mining began ({gpu.origin})."
    )


def two_gaps(found: list[Bar]) -> Sheet:
    rows = []
    for group in dict.fromkeys(bar.group for bar in found):
        rows.append([group, "", "", "", ""])
        rows += [
            [bar.label, f"{bar.factor} {bar.quantity}", bar.origin, bar.source, bar.caveat]
            for bar in found
            if bar.group == group
        ]
    columns = ("at home", "a hall does better by", "measured or quoted", "source", "caveat")
    note = "Hall: the best machine of those that stand by the thousand in buildings made for them."
    return Sheet(GAPS, columns, rows, note, left=5, least=("source", "measured or quoted"))


def every(
    one: Own, table: list[HardwareRow], figures: Mapping[str, Figure], network: Network,
    bars: list[Bar],
) -> list[Sheet]:  # fmt: skip
    """All sheets in reading order."""
    return [
        own(one),
        eras(arithmetic.eras(one, table), one.short_of),
        prospects(one, table, network),
        pays(one, table, network),
        money(one, table, network),
        history(one, table, figures),
        two_gaps(bars),
    ]
