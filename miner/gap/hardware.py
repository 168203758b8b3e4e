"""The dated table of machines that computed SHA-256d, 2009 to today, and the user's own rows."""

import re
from dataclasses import dataclass
from pathlib import Path

from miner.errors import ConfigError
from miner.gap import csvfile

COLUMNS = (
    "name", "kind", "maker", "released", "hashrate_hs", "power_w", "efficiency_j_per_th",
    "process_nm", "price_usd_launch", "source_url", "source_note", "confidence",
)  # fmt: skip
KINDS = ("cpu", "gpu", "fpga", "asic", "home-asic")
CONFIDENCE = {"P": "primary", "S": "secondary", "W": "weak"}
BOUNDARY = {
    "cpu": "whole PC at the wall",
    "gpu": "board rating",
    "fpga": "board",
    "asic": "maker's nominal at the wall",
    "home-asic": "board or wall, see note",
}
BOUNDARY_SENTENCE = (
    "CPU rows are whole PCs at the wall, GPU rows board ratings, FPGA and Bitaxe-class rows the "
    "board, ASIC rows the maker's nominal at the wall: a whole PC against a nominal ASIC flatters "
    "the ASIC by up to 4."
)
SORTS = ("released", "hashrate", "efficiency", "power", "name")


@dataclass(frozen=True, slots=True)
class HardwareRow:
    """One machine; None where no source was found."""

    name: str
    kind: str  # one of KINDS
    maker: str
    released: str  # YYYY or YYYY-MM
    hashrate_hs: float
    power_w: float | None
    j_per_th: float | None
    process_nm: float | None
    price_usd: float | None
    source_url: str
    note: str
    confidence: str  # P, S or W
    own: bool = False  # comes from the user's file

    @property
    def year(self) -> float:
        """Decimal year; the middle of the year or month that is given."""
        year, _, month = self.released.partition("-")
        return int(year) + ((int(month) - 0.5) / 12 if month else 0.5)

    @property
    def announced_only(self) -> bool:
        """No unit is known to have shipped."""
        return any(word in self.note for word in ("presale, announced", "shipping not confirmed"))


def parse(text: str, where: str, own: bool = False) -> list[HardwareRow]:
    """Rows of a table. Raises ConfigError naming line and cell."""
    return [_row(place, cells, own) for place, cells in csvfile.rows(text, COLUMNS, where)]


def _row(place: str, cells: dict[str, str], own: bool) -> HardwareRow:
    for column in ("name", "released", "source_url", "source_note", "confidence"):
        if not cells[column].strip():
            raise ConfigError(f"{place}: {column} is empty; every row needs one")
    if cells["kind"] not in KINDS:
        raise ConfigError(f"{place}: kind is {cells['kind']!r}, want one of {', '.join(KINDS)}")
    if not re.fullmatch(r"(19|20)\d\d(-(0[1-9]|1[0-2]))?", cells["released"]):
        raise ConfigError(f"{place}: released is {cells['released']!r}, want YYYY or YYYY-MM")
    if not cells["source_url"].startswith(("https://", "http://")):
        raise ConfigError(f"{place}: source_url is {cells['source_url']!r}, want http(s)://...")
    if cells["confidence"] not in CONFIDENCE:
        raise ConfigError(f"{place}: confidence is {cells['confidence']!r}, want P, S or W")
    figures = {
        column: csvfile.number(cells[column], place, column)
        for column in ("hashrate_hs", "power_w", "efficiency_j_per_th", "process_nm")
    }
    hashrate = figures["hashrate_hs"]
    if hashrate is None:
        raise ConfigError(f"{place}: hashrate_hs is empty; every row needs one")
    return HardwareRow(
        name=cells["name"],
        kind=cells["kind"],
        maker=cells["maker"],
        released=cells["released"],
        hashrate_hs=hashrate,
        power_w=figures["power_w"],
        j_per_th=figures["efficiency_j_per_th"],
        process_nm=figures["process_nm"],
        price_usd=csvfile.number(cells["price_usd_launch"], place, "price_usd_launch"),
        source_url=cells["source_url"],
        note=cells["source_note"],
        confidence=cells["confidence"],
        own=own,
    )


def load(config_dir: Path | None = None) -> list[HardwareRow]:
    """Shipped rows, then the user's `hardware.csv`; a row of the same name replaces ours."""
    merged = {row.name: row for row in parse(csvfile.packaged("hardware.csv"), "hardware.csv")}
    path = config_dir / "hardware.csv" if config_dir else None
    text = csvfile.own(path) if path else None
    if text is not None:
        merged |= {row.name: row for row in parse(text, str(path), own=True)}
    return list(merged.values())


def select(
    rows: list[HardwareRow], kind: str | None, year: str | None, sort: str
) -> list[HardwareRow]:
    """Filter by kind and by `2013` or `2013-2016`, sort; best first where there is a best.

    Raises ConfigError for an unknown word.
    """
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"kind {kind!r} is unknown; choose one of {', '.join(KINDS)}")
    if sort not in SORTS:
        raise ConfigError(f"sort {sort!r} is unknown; choose one of {', '.join(SORTS)}")
    first, last = _years(year)
    chosen = [
        row
        for row in rows
        if (kind is None or row.kind == kind) and first <= int(row.released[:4]) <= last
    ]
    keys = {
        "released": lambda row: (row.year, row.name),
        "hashrate": lambda row: (-row.hashrate_hs, row.name),
        "efficiency": lambda row: (row.j_per_th is None, row.j_per_th or 0.0, row.name),
        "power": lambda row: (row.power_w is None, row.power_w or 0.0, row.name),
        "name": lambda row: row.name.lower(),
    }
    return sorted(chosen, key=keys[sort])


def _years(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 9999
    match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)
    if not match or (match[2] and match[2] < match[1]):
        raise ConfigError(f"year {text!r} is not a year like 2013 or a span like 2013-2016")
    return int(match[1]), int(match[2] or match[1])
