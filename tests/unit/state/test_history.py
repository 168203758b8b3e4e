import json
import math
from pathlib import Path

import pytest

from miner.state.history import COARSE_ROWS, FINE_ROWS, History, Reading, Ring, Row
from miner.state.kept import Kept
from tests.faults import fault


def filled(history: History, first: int, last: int, rate: int = 100) -> None:
    """A reading each second; wall-clock times are a million later."""
    for second in range(first, last + 1):
        reading = Reading(rate * second, second // 10, 0, 61.5, None, 0.025)
        history.see(float(second), 1e6 + second, reading)


def test_rows_come_every_5_s_and_every_minute() -> None:
    history = History(0.0)
    filled(history, 0, 180)
    assert len(history.fine) == 36
    assert len(history.coarse) == 3
    row = history.coarse.since()[-1]
    assert (row.time_s, row.rate_hs, row.low_hs, row.high_hs) == (1e6 + 180, 100, 100, 100)
    assert (row.accepted, row.rejected, row.temperature_c, row.latency_s) == (6, 0, 61.5, 0.025)
    assert math.isnan(row.power_w)
    assert [row.time_s for row in history.fine.since(1e6 + 170)] == [1e6 + 175, 1e6 + 180]


def test_the_band_of_a_row_is_that_of_its_samples() -> None:
    history, hashes = History(0.0), 0
    for second in range(61):
        history.see(float(second), float(second), Reading(hashes, 0, 0))
        hashes += 500 if second == 30 else 100
    row = history.coarse.since()[0]
    assert (row.low_hs, row.high_hs) == (100, 500)
    assert row.rate_hs == pytest.approx((59 * 100 + 500) / 60)


def test_rings_never_grow() -> None:
    for rows in (FINE_ROWS, COARSE_ROWS):
        ring = Ring(rows)
        for number in range(2 * rows + 7):
            ring.add(Row(float(number), *[0.0] * 8))
        assert [row.time_s for row in ring.since()] == [rows + 7.0 + n for n in range(rows)]
        assert [row.time_s for row in ring.since(2 * rows + 5)] == [2 * rows + 6.0]


@fault("P02")
def test_a_restart_finds_all_but_the_last_minute(tmp_path: Path) -> None:
    """As after kill -9: nothing is saved after the last minute's save."""
    path = tmp_path / "state" / "history.json"
    history = History(0.0, path)
    filled(history, 0, 330)
    history.save()
    filled(history, 331, 380)
    later = History(0.0, path)
    assert [row.time_s for row in later.coarse.since()] == [1e6 + 60 * n for n in range(1, 6)]
    assert later.fine.since()[-1].time_s == 1e6 + 330
    assert [p.name for p in path.parent.iterdir()] == ["history.json"]
    filled(later, 0, 60)
    later.save()
    assert len(History(0.0, path).coarse) == 6


def test_at_the_stop_everything_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    history = History(0.0, path)
    filled(history, 0, 59)
    history.save()
    assert len(History(0.0, path).fine) == 11


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"schema": 2}',
        '{"a":' * 10_000,
        json.dumps({"schema": 1, "columns": ["a"], "fine": [], "coarse": []}),
        '{"schema": 1, "columns": COLUMNS, "fine": [[1e999, 1, 1, 1, 1, 1, 1, 1, 1]], "coarse":[]}',
        '{"schema": 1, "columns": COLUMNS, "fine": [["x", 1, 1, 1, 1, 1, 1, 1, 1]], "coarse": []}',
        '{"schema": 1, "columns": COLUMNS, "fine": [[1.0]], "coarse": []}',
        '{"schema": 1, "columns": COLUMNS, "fine": 7, "coarse": []}',
    ],
)
@fault("P16")
def test_a_broken_file_is_no_reason_to_stop(content: str, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(content.replace("COLUMNS", json.dumps(Row._fields)))
    history = History(0.0, path)
    assert history.fine.since() == []
    filled(history, 0, 60)
    history.save()
    assert len(History(0.0, path).coarse) == 1


@fault("P04")
def test_a_disk_that_fails_costs_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = Kept(0.0, tmp_path / "file")
    filled(kept.history, 0, 61)
    kept.close()
    assert len(kept.history.coarse) == 1
