"""Tables fit 80 columns: whole columns go, nothing is folded inside a word or a figure."""

import io

from rich.console import Console

from miner.gap import arithmetic, economics, hardware, tables, twogaps
from miner.measure import terminal

from .test_result import sample


def shown(sheet: tables.Sheet, width: int) -> str:
    out = io.StringIO()
    made = terminal.table(sheet.title, sheet.columns, sheet.rows, sheet.left, sheet.least, width)
    Console(file=out, width=width).print(made)
    return out.getvalue()


def test_every_sheet_fits_80_columns() -> None:
    found, table, known = sample(), hardware.load(), economics.load()
    own = arithmetic.own_from(found, watts=90)
    bars = twogaps.bars(own, table, known)
    for sheet in tables.every(own, table, known, arithmetic.network_from(known), bars):
        text = shown(sheet, 80)
        words = set(text.split())
        assert max(map(len, text.splitlines())) <= 80
        kept = [i for i, name in enumerate(sheet.columns) if name not in sheet.least]
        for row in sheet.rows:
            for index in kept:
                assert set(row[index].split()) <= words, (sheet.title, row[index])


def test_a_wide_screen_keeps_every_column() -> None:
    rows = [["a", "1.0 MH/s", "x" * 12]]
    wide = terminal.table("t", ("case", "rate", "bars"), rows, least=("bars",), width=80)
    narrow = terminal.table("t", ("case", "rate", "bars"), rows, least=("bars",), width=20)
    assert len(wide.columns) == 3
    assert len(narrow.columns) == 2
    assert narrow.title == "t (too narrow for: bars)"
