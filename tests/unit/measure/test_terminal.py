"""Tables fit 80 columns: whole columns go, nothing is folded inside a word or a figure."""

import io

import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.table import Table

from miner.cli.main import cli
from miner.gap import arithmetic, economics, hardware, tables, twogaps
from miner.measure import compare, machines, screen, session, terminal

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


def printed(made: Table) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=200).print(made)
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 60])
def test_every_other_table_fits_too(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """With the longest names there are, and fourteen threads on a machine with long facts."""
    monkeypatch.setattr(terminal, "PLAIN_WIDTH", width)
    found = sample(cases=2)
    for case in found.cases:
        case.backend, case.variant, case.threads = "opencl", "pocl:0", case.threads + 13
    found.environment |= {
        "cpu": "12th Gen Intel(R) Core(TM) i7-12700K", "os": "Debian GNU/Linux 12 (bookworm)",
        "code_sha256": "0123456789abcdef", "virtual": "container in virtual machine",
    }  # fmt: skip
    machines_ = machines.machines({str(i): sample(1e6 * (i + 1)) for i in range(4)} | {"x": found})
    rows = machines.rows(machines_)
    report = compare.compare([found], [found])
    tables_ = [
        screen.results(found),
        screen.several([found, found, found]),
        screen.compared(report),
        screen.checked([session.Check("opencl:pocl:0 x14 v16", "same", "faster", 1.2)]),
        terminal.table("", machines.COLUMNS, rows, left=2, least=machines.LEAST),
        *terminal.side_by_side("Environments", list("12345"), machines.facts(machines_)),
    ]
    for made in tables_:
        lines = printed(made)
        assert max(map(len, lines)) <= width, lines
    words = {word for made in tables_ for line in printed(made) for word in line.split()}
    assert {"i7-12700K", "0123456789abcdef", "GNU/Linux"} <= words  # none is folded


def test_the_list_of_hardware_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "PLAIN_WIDTH", 80)
    done = CliRunner().invoke(cli, ["hardware"])
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["2026-01", "Antminer", "S23", "asic"] in [row[:4] for row in rows]


def test_a_wide_screen_keeps_every_column() -> None:
    rows = [["a", "1.0 MH/s", "x" * 12]]
    wide = terminal.table("t", ("case", "rate", "bars"), rows, least=("bars",), width=80)
    narrow = terminal.table("t", ("case", "rate", "bars"), rows, least=("bars",), width=20)
    assert len(wide.columns) == 3
    assert len(narrow.columns) == 2
    assert narrow.title == "t (too narrow for: bars)"


def test_a_screen_too_narrow_for_a_row_gets_a_line_a_cell() -> None:
    """40 columns: two letters a line, 442 lines, it was."""
    found, table, known = sample(), hardware.load(), economics.load()
    own = arithmetic.own_from(found, watts=90)
    bars = twogaps.bars(own, table, known)
    for sheet in tables.every(own, table, known, arithmetic.network_from(known), bars):
        text = shown(sheet, 40)
        assert max(map(len, text.splitlines())) <= 40
        words = set(text.split())
        kept = [i for i, name in enumerate(sheet.columns) if name not in sheet.least]
        cells = [row[i] for row in sheet.rows for i in kept]
        lost = {word for cell in cells for word in cell.split() if len(word) < 25} - words
        assert not lost, (sheet.title, lost)


def test_a_screen_takes_two_per_cent_of_the_time_at_most() -> None:
    """Drawing the intervals of 10,000 slices took 1.2 s after each slice of one: half a soak."""
    now, drawn, spent = 0.0, 0, 0.0

    def draw() -> None:
        nonlocal now, drawn, spent
        cost = drawn * 0.01  # dearer each time
        now, spent, drawn = now + cost, spent + cost, drawn + 1

    pace = terminal.Pace(lambda: now)
    for _ in range(10_000):
        now += 1.0
        pace.run(draw)
    assert drawn > 50
    assert spent < 0.021 * now
