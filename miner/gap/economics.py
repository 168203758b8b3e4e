"""Dated figures of network, money, tariffs and AI; each with unit, date and source, overridable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from miner.errors import ConfigError
from miner.gap import csvfile

COLUMNS = ("key", "value", "unit", "as_of", "source_url", "note")
MOST_TARIFF = 1e6
QUOTING = re.compile(r"quoting [\w.]*\w(?: [A-Z]\w+)*")
DATE = re.compile(r"(19|20)\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?|-Q[1-4]|-H[12])?")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with all that is needed to quote it."""

    key: str
    value: float
    unit: str
    as_of: str
    source_url: str
    note: str

    @property
    def origin(self) -> str:
        """Date and source in a few words, printed beside the value."""
        if self.source_url == "given by user":
            return self.source_url
        derived = "derived, " if self.key.endswith("_derived") else ""
        quoting = QUOTING.search(self.note)
        said = f", {quoting[0]}" if quoting else ""
        return f"{derived}{self.as_of}, {csvfile.place(self.source_url)}{said}"


def given(key: str, value: float, unit: str) -> Figure:
    """A figure the user typed in."""
    return Figure(key, value, unit, "now", "given by user", "given on the command line")


def parse(text: str, where: str) -> dict[str, Figure]:
    """Figures by key. Raises ConfigError naming line and cell."""
    found: dict[str, Figure] = {}
    for place, cells in csvfile.rows(text, COLUMNS, where):
        for column in ("key", "value", "unit", "as_of", "source_url"):
            if not cells[column].strip():
                raise ConfigError(f"{place}: {column} is empty; every figure needs one")
        if not DATE.fullmatch(cells["as_of"]):
            raise ConfigError(f"{place}: as_of is {cells['as_of']!r}, want YYYY, -MM, -MM-DD, -Qn")
        if not cells["source_url"].startswith(("https://", "http://")):
            raise ConfigError(f"{place}: source_url is {cells['source_url']!r}, want http(s)://...")
        if cells["key"] in found:
            raise ConfigError(f"{place}: {cells['key']} stands there twice")
        value = csvfile.number(cells["value"], place, "value")
        assert value is not None  # empty was refused above
        found[cells["key"]] = Figure(
            cells["key"], value, *(cells[column] for column in COLUMNS[2:])
        )
    return found


def load(config_dir: Path | None = None) -> dict[str, Figure]:
    """Shipped figures, then the user's `economics.csv`, which replaces them key by key."""
    merged = parse(csvfile.packaged("economics.csv"), "economics.csv")
    path = config_dir / "economics.csv" if config_dir else None
    text = csvfile.own(path) if path else None
    return merged if text is None else merged | parse(text, str(path))


def tariff(figures: Mapping[str, Figure], name: str) -> Figure:
    """A tariff by number ("0.30", USD/kWh; "0.30 EUR") or by preset name ("germany_household").

    Raises ConfigError listing the presets.
    """
    match = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,12})?(?:e-?\d{1,2})?)\s*([A-Za-z]{3})?\s*", name)
    if match:
        if not 0 < float(match[1]) < MOST_TARIFF:
            raise ConfigError(f"tariff {name!r} is not between 0 and {MOST_TARIFF:g} for a kWh")
        return given("tariff_own", float(match[1]), f"{(match[2] or 'USD').upper()}/kWh")
    figure = figures.get(f"tariff_{name}")
    if figure is None or not figure.unit.endswith("/kWh"):
        presets = sorted(
            key.removeprefix("tariff_")
            for key, one in figures.items()
            if key.startswith("tariff_") and one.unit.endswith("/kWh")
        )
        raise ConfigError(
            f"tariff {name!r} is no number and no preset; presets: {' '.join(presets)}"
        )
    return figure
