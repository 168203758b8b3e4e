import math
from dataclasses import replace

import pytest

from miner import units
from miner.errors import ConfigError
from miner.gap import arithmetic, economics, hardware, tables, twogaps
from miner.gap.arithmetic import Own
from tests.unit.measure.test_result import sample

TABLE = hardware.load()
FIGURES = economics.load()
NETWORK = arithmetic.network_from(FIGURES)
PC_2010 = Own(
    "x", "PC of 2010", "2026-11-22", 2.2e6, None, "steady", 6.364e7, "wall", "given by user"
)


def row(name: str) -> hardware.HardwareRow:
    return next(one for one in TABLE if one.name == name)


# Ratios to the Antminer S23 XP Hyd, worked out by hand from the table, two digits.
@pytest.mark.parametrize(
    ("name", "rate", "energy"),
    [
        ("Desktop PC on a power meter (2010)", 2.7e8, 7.2e6),
        ("Core 2 Duo E6300 1.86 GHz", 6.3e8, 1.9e7),
        ("Radeon HD 7970", 8.5e5, 4.0e4),
        ("X6500 FPGA Miner", 1.5e6, 4.8e3),
        ("Avalon Batch 1", 9.1e3, 1.05e3),
        ("Antminer S9", 43, 11),
        ("Antminer S19 Pro", 5.5, 3.3),
        ("Antminer S21", 3.0, 2.0),
        ("Bitaxe Gamma 601 (BM1370)", 500, 1.7),
        ("Avalon Q", 6.7, 2.1),
    ],
)
def test_ratios_to_the_best_asic(name: str, rate: float, energy: float) -> None:
    machine = row(name)
    own = replace(PC_2010, rate_hs=machine.hashrate_hs, j_per_th=machine.j_per_th)
    found = arithmetic.compare(own, "best", arithmetic.best(TABLE, "asic"))
    assert found.times_rate == pytest.approx(rate, rel=0.03)
    assert found.times_energy == pytest.approx(energy, rel=0.03)


@pytest.mark.parametrize(
    ("rate", "years"),
    [(1e7, 1.8e9), (1e9, 1.8e7), (1.2e12, 15300), (9e13, 204), (2e14, 92), (6e14, 31)],
)
def test_years_to_a_block(rate: float, years: float) -> None:
    found = arithmetic.prospect("", rate, None, NETWORK)
    assert found.block_s / units.YEAR_S == pytest.approx(years, rel=0.02)
    assert found.chance_year == pytest.approx(-math.expm1(-units.YEAR_S / found.block_s))
    assert found.share_s == pytest.approx(2**32 / rate, rel=1e-4)
    assert found.kwh_block is None
    assert found.break_even is None


def test_chance_keeps_small_numbers() -> None:
    assert arithmetic.chance(1.0, 1.0, 1e18) == pytest.approx(1e-18, rel=1e-9)
    assert arithmetic.chance(1e30, 1.0, 1.0) == 1.0


def test_cost_of_a_block() -> None:
    kwh = arithmetic.kwh(8.9, NETWORK.hashes)
    assert kwh == pytest.approx(1.43e6, rel=0.002)
    assert kwh * 0.045 == pytest.approx(64_000, rel=0.01)
    assert kwh * 0.1805 == pytest.approx(258_000, rel=0.01)
    assert NETWORK.reward_usd == pytest.approx(264_700, rel=0.001)
    assert arithmetic.kwh(6.364e7, NETWORK.hashes) == pytest.approx(1.0e13, rel=0.03)


@pytest.mark.parametrize(
    ("j_per_th", "tariff"),
    [(8.9, 0.190), (13.5, 0.125), (17.5, 0.097), (29.5, 0.057), (98, 0.017), (352_100, 4.8e-6),
     (6.364e7, 2.7e-8)],
)  # fmt: skip
def test_break_even_tariff(j_per_th: float, tariff: float) -> None:
    found = arithmetic.prospect("", 1e12, j_per_th, NETWORK).break_even
    assert found is not None
    assert found[0] == pytest.approx(tariff, rel=0.02)
    assert found[1] / found[0] == pytest.approx(28 / 40.58)


def test_every_era_is_there_in_order() -> None:
    found = arithmetic.eras(PC_2010, TABLE)
    assert [era.row.year for era in found] == sorted(era.row.year for era in found)
    roles = {era.role: era.row.name for era in found}
    assert roles["first miner"].startswith("Patoshi")
    assert roles["GPU, fewest joules"] == "GeForce GTX 1060 6 GB"
    assert roles["GPU, fastest"] == "Radeon HD 6990"
    assert roles["fastest CPU"] == "Apple M4 CPU (MacBook Pro)"
    assert roles["FPGA, fewest joules"] == "X6500 FPGA Miner"
    assert roles["best for the home"].startswith("FutureBit Apollo III (super-eco")
    assert roles["first ASIC"] == "Avalon Batch 1"
    assert roles["best ASIC sold"] == "Antminer S23 Hyd"
    assert roles["best announced"] == "Antminer S23 XP Hyd"
    assert {"Antminer S9", "Avalon Q"} < {era.row.name for era in found}
    assert set(range(2013, 2027)) <= {int(era.row.year) for era in found}
    mine = replace(arithmetic.best(TABLE, "asic"), name="Own", own=True, j_per_th=1.0)
    mine_roles = [era.role for era in arithmetic.eras(PC_2010, [*TABLE, mine]) if era.row == mine]
    assert mine_roles == ["your own row"]  # once, though it is also the best announced
    assert "GPU, fewest joules" in {era.role for era in arithmetic.eras(PC_2010, [*TABLE, mine])}


def test_year_led() -> None:
    assert arithmetic.year_led(1e4, TABLE, FIGURES)[0] is None
    year, ended = arithmetic.year_led(5e7, TABLE, FIGURES)
    assert year == pytest.approx(2010.54)  # graphics cards of 2008 count from the first GPU miner
    assert ended is not None
    assert ended.kind == "gpu"
    year, ended = arithmetic.year_led(1e10, TABLE, FIGURES)
    assert ended is not None
    assert (round(year or 0), ended.kind) == (2012, "fpga")
    assert arithmetic.year_led(1e19, TABLE, FIGURES)[1] is None


def test_network_share_is_dated() -> None:
    found = arithmetic.network_share(4.35e6, FIGURES)
    assert found[0][0].as_of == "2009"
    assert found[0][1] == pytest.approx(1.0)
    assert found[-1][0].key == "network_hashrate"


def test_a_partial_result_says_so_on_every_screen() -> None:
    found = sample()
    found.partial = True
    one = arithmetic.own_from(found)
    assert one.trust.endswith(", interrupted: partial results")
    assert any(one.trust in row[1] for row in tables.own(one).rows)


def test_own_from_a_result() -> None:
    found = sample()
    own = arithmetic.own_from(found)
    assert own.j_per_th == pytest.approx(45e6, rel=0.01)
    assert own.boundary == "package"
    walled = arithmetic.own_from(found, watts=90)
    assert walled.j_per_th == pytest.approx(90 / own.rate_hs * 1e12, rel=1e-3)
    assert (walled.boundary, walled.energy_source) == ("wall", "given by user")
    with pytest.raises(ConfigError, match="--watts -1"):
        arithmetic.own_from(found, watts=-1)
    found.cases.clear()
    with pytest.raises(ConfigError, match="no valid measurement"):
        arithmetic.own_from(found)


def test_the_user_overrides_every_figure() -> None:
    mine = economics.given("x", 2.0, "1")
    found = arithmetic.network_from(FIGURES, mine, mine, mine, mine)
    assert found.hashes == pytest.approx(2 * 2**32, rel=1e-4)
    assert found.hashprices == (mine,)
    assert found.tariffs[0] is mine
    assert found.price.origin == "given by user"


def test_two_gaps_match_their_sources() -> None:
    found = twogaps.bars(PC_2010, TABLE, FIGURES)
    ratios = {(bar.label, bar.quantity): bar for bar in found}
    assert ratios["Apple M3 Max, one stream", "in tokens/s"].ratio == pytest.approx(2.8, abs=0.05)
    assert ratios["RTX 4090, one stream", "in tokens/s"].ratio == pytest.approx(1.13, abs=0.01)
    assert ratios["Apple M1, one stream", "in tokens/s"].ratio == pytest.approx(15, abs=0.2)
    assert ratios["Apple M3 Max, batched", "in tokens/s"].ratio == pytest.approx(181, abs=1)
    assert ratios["M4 Max, against B200", "per joule"].factor == "1.6 to 2.3 x"
    own = ratios["this computer, watts given", "per joule"]
    assert own.ratio == pytest.approx(7.15e6, rel=0.01)
    assert own.origin == twogaps.GIVEN  # typed-in watts are not drawn as measured
    assert all(bar.caveat and bar.source for bar in found)
    assert {bar.origin for bar in found if bar.group == twogaps.AI} == {twogaps.QUOTED}
    said = twogaps.sentence(found)
    assert "mining's gap is 7 million on a PC of 2010; with the watts given it is 7 million" in said
    assert "AI's is 1.6 to 7.4" in said
    assert "one user alone 1.1 to 15 times as fast as the home does, and is about 181 times" in said
    assert "farthest apart where one user asks alone" in said
    assert "71.3 %" in twogaps.coverage(FIGURES)


def test_own_tokens_are_labelled_as_given() -> None:
    found = twogaps.bars(PC_2010, TABLE, FIGURES, tokens=28.9)
    mine = next(bar for bar in found if bar.label.startswith("this computer, 28.9"))
    assert mine.ratio == pytest.approx(5.0, abs=0.01)
    assert mine.group == twogaps.AI
    assert "flatters home" in mine.caveat


def test_a_shared_machine_shows_its_rate_by_cpu_time() -> None:
    found = sample()
    case = found.cases[0]
    assert arithmetic.own_from(found).wall_hs is None
    case.slices = [replace(one, cpu_s=0.25) for one in case.slices]
    case.counters = {"seconds": 10.0, "cpu_s": 2.5}
    own = arithmetic.own_from(found)
    assert own.rate_hs == pytest.approx(4 * 1.002e6)  # what others took is no part of it
    assert own.wall_hs == pytest.approx(1.002e6)
    assert own.basis == "CPU time"
    assert any("others had the rest" in row[1] for row in tables.own(own).rows)
    assert any("10 s burst" in row[1] for row in tables.own(own).rows)


def test_without_joules_nothing_is_guessed() -> None:
    own = replace(PC_2010, j_per_th=None, boundary="", energy_source="")
    found = twogaps.bars(own, TABLE, FIGURES)
    mine = [bar.quantity for bar in found if bar.origin == twogaps.MEASURED]
    assert mine == ["per second"]
    assert "no joules are known (--watts" in twogaps.sentence(found)
    assert all(era.times_energy is None for era in arithmetic.eras(own, TABLE))


def test_words() -> None:
    assert units.rate(12_340_000) == "12.34 MH/s"
    assert units.rate(964e18) == "964 EH/s"
    assert units.rate(None) == "n/a"
    assert units.interval(12.29e6, 12.38e6, 12.34e6) == "[12.29, 12.38]"
    assert units.energy(8.9) == "8.90 J/TH"
    assert units.energy(34615) == "34600 J/TH"  # no digit more than three
    assert units.energy(4.5e7) == "4.50e7 J/TH"
    assert units.ratio(2.7e-8) == "2.70e-8 x"
    assert units.span(0.0072) == "7.20 ms"
    assert units.span(90) == "1.50 minutes"
    assert units.span(5.7e16) == "1.81 billion years"
    assert units.chance(1 / 15300) == "1 in 15300"
    assert units.chance(0.0322) == "3.22 %"
    assert units.money(258108.3, "USD") == "258 108 USD"
    assert units.many(434_000_000) == "434 million"
    assert units.many(1) == "1"


def test_what_joules_leave_out_is_said_and_bounded() -> None:
    found = sample()
    case = found.cases[0]
    case.slices = [replace(one, joules=45.0 + 0.1 * (i % 3)) for i, one in enumerate(case.slices)]
    own = arithmetic.own_from(found)
    assert own.j_ci95 is not None
    assert own.j_ci95[0] <= own.j_ci95[1]
    assert own.j_ci95[0] == pytest.approx(45e6, rel=0.01)
    assert "up to 4 times larger" in own.missing
    assert "other programs" not in own.missing
    shared = [replace(one, cpu_s=0.5) for one in case.slices]
    case.slices = shared
    assert "hold other programs' work" in arithmetic.own_from(found).missing
    assert "other programs" not in arithmetic.own_from(found, watts=90).missing
    assert arithmetic.own_from(found, watts=90).j_ci95 is None  # nothing was measured


def test_wherever_joules_are_set_against_an_asics_what_is_missing_is_said() -> None:
    """A stranger reads one table, not the page from its beginning."""

    def told(own: arithmetic.Own) -> dict[str, str]:
        shown = tables.every(own, TABLE, FIGURES, NETWORK, twogaps.bars(own, TABLE, FIGURES))
        return {
            sheet.title: " ".join([sheet.note, *sheet.columns, *map(" ".join, sheet.rows)])
            for sheet in shown
        }

    with_joules = (tables.OWN, tables.ERAS, tables.ALONE, tables.PAYS, tables.BLOCK)
    package = replace(PC_2010, boundary="package", energy_source="powercap")
    said = told(package)
    for title in with_joules:
        assert "up to 4 times" in said[title], title
    bars = twogaps.bars(package, TABLE, FIGURES)
    assert "up to 4 times" in twogaps.sentence(bars, package.missing)
    given = told(PC_2010)  # watts of a wall meter, typed in
    for title in (tables.ALONE, tables.PAYS, tables.BLOCK, tables.GAPS):
        assert "this computer, watts given" in given[title], title
    for title in with_joules:
        assert "up to 4 times" not in given[title], title
