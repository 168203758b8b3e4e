"""Where mining pays: the income of a machine against its electricity, by tariff; in words."""

from miner import units
from miner.gap.arithmetic import Network, Own, break_even
from miner.gap.economics import Figure
from miner.gap.hardware import HardwareRow

MACHINES = (  # rows of the table, with the names that pictures give them
    ("Desktop PC on a power meter (2010)", "PC of 2010"),
    ("GeForce GTX 1060 6 GB", "GTX 1060"),
    ("X6500 FPGA Miner", "X6500, FPGA"),
    ("Avalon Batch 1", "Avalon 1"),
    ("Antminer S1", "Antminer S1"),
    ("Antminer S5", "Antminer S5"),
    ("Antminer S9", "Antminer S9"),
    ("Antminer S17 Pro", "Antminer S17 Pro"),
    ("Antminer S19 Pro", "Antminer S19 Pro"),
    ("Antminer S21", "Antminer S21"),
    ("Avalon Q", "Avalon Q, home"),
    ("Antminer S23 XP Hyd", "Antminer S23 XP"),
)
NAMES = {
    "industry_electricity_cost_median": "miners' median",
    "tariff_paraguay_contract": "Paraguay contract",
    "tariff_ethiopia_miners_2026_07_derived": "Ethiopia, miners",
    "tariff_us_texas_industrial": "Texas, industry",
    "tariff_us_residential": "US homes",
    "tariff_us_hawaii_residential": "Hawaii, homes",
    "tariff_eu_household": "EU, homes",
    "tariff_germany_household": "Germany, homes",
    "tariff_hungary_household": "Hungary, homes",
    "tariff_gb_household_cap": "Great Britain, homes",
}


def tariff_name(figure: Figure) -> str:
    """What people call it; never a raw key."""
    plain = figure.key.removeprefix("tariff_").removesuffix("_derived").replace("_", " ")
    return NAMES.get(figure.key, plain)


def dollar_tariffs(network: Network) -> list[tuple[str, Figure]]:
    """Tariffs in the currency of the hashprice, cheapest first: nothing is converted in silence."""
    found = [(tariff_name(one), one) for one in network.tariffs if one.unit == "USD/kWh"]
    return sorted(found, key=lambda pair: pair[1].value)


def cost(j_per_th: float, tariff: float, hashprice: float) -> float:
    """Of the electricity, in incomes: below 1 it pays."""
    return tariff / break_even(j_per_th, hashprice)


def word(j_per_th: float, tariff: float, hashprice: float) -> str:
    """Pays or loses, and how much: the part of the income kept, or its multiple that is paid."""
    times = cost(j_per_th, tariff, hashprice)
    return f"pays, keeps {units.percent(1 - times)}" if times < 1 else f"loses, {_times(times)} x"


def told(j_per_th: float, tariff: float, hashprice: float) -> str:
    """The same as a part of a sentence."""
    times = cost(j_per_th, tariff, hashprice)
    if times < 1:
        return f"pays and keeps {units.percent(1 - times)} of its income"
    return f"loses: its electricity costs {_times(times)} times its income"


def _times(value: float) -> str:
    """Two digits, in words where there are many."""
    return units.significant(value, 2) if value < 1e5 else units.many(float(f"{value:.1e}"))


def rows(own: Own, table: list[HardwareRow], network: Network) -> list[list[str]]:
    """A line a machine, a column a dollar tariff; the newest machine first."""
    by_name = {row.name: row for row in table}
    found = [(label, by_name[name].j_per_th) for name, label in MACHINES if name in by_name]
    found.append((own.called, own.j_per_th))
    found.sort(key=lambda pair: pair[1] or float("inf"))
    price = network.hashprices[0].value
    return [
        [
            label, units.significant(break_even(joules, price), 2),
            *(word(joules, figure.value, price) for _, figure in dollar_tariffs(network)),
        ]
        for label, joules in found
        if joules is not None
    ]  # fmt: skip


def columns(network: Network) -> tuple[str, ...]:
    named = (f"{name} {figure.value:g}" for name, figure in dollar_tariffs(network))
    return ("machine", "break-even, USD/kWh", *named)


def sentence(table: list[HardwareRow], network: Network) -> str:
    """The picture in words, with an example that anybody can work out again."""
    by_name = {row.name: row for row in table}
    price = network.hashprices[0].value
    machine = by_name.get("Antminer S23 XP Hyd")
    home = next((one for name, one in dollar_tariffs(network) if name == "US homes"), None)
    if machine is None or machine.j_per_th is None or home is None:
        return ""
    edge = break_even(machine.j_per_th, price)
    said = (
        "Break-even is the hashprice over 24 times J/TH: "
        f"{price:g} / (24 x {machine.j_per_th:g}) = "
        f"{units.significant(edge, 3)} USD/kWh for the {machine.name}. At "
        f"{home.value:g}, the mean of US homes, it {told(machine.j_per_th, home.value, price)}"
    )
    older = by_name.get("Antminer S21")
    if older is not None and older.j_per_th is not None:
        said += f"; an {older.name} {told(older.j_per_th, home.value, price)}"
    return f"{said}. So the machine decides first, and then the tariff, which is the place."
