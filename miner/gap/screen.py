"""The terminal screens of `miner gap` and `miner hardware` (rich)."""

from miner.gap.tables import Sheet
from miner.measure.terminal import console, line, table


def show_sheets(shown: list[Sheet], sentences: list[str]) -> None:
    """The gap report on stdout."""
    out = console()
    for sheet in shown:
        out.print(table(sheet.title, sheet.columns, sheet.rows, sheet.left, sheet.least))
        if sheet.note:
            line(out, sheet.note, "dim")
        out.print()
    for text in sentences:
        line(out, text)


def show_hardware(rows: list[list[str]]) -> None:
    names = ("date", "machine", "kind", "hashrate", "power", "energy", "confidence", "source")
    console().print(table("", names, rows, 3, ("source", "confidence", "power", "kind")))
