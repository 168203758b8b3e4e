"""Results in a file of the teacher's choice."""

import csv
import os
import pty
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli.learn import learn
from miner.errors import ConfigError
from miner.learn import report
from tests.unit.learn.test_repeat import until

NOW = datetime(2026, 11, 29, 9, 5)


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_line_for_each_lesson_below_the_names_of_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    report.add(path, "Ada, 7b", "why", 2, 3, NOW)
    report.add(path, " Bén ", "quiz target", 0, 4, NOW)
    assert rows(path) == [
        list(report.COLUMNS),
        ["2026-11-29 09:05", "Ada, 7b", "why", "2", "3"],
        ["2026-11-29 09:05", "Bén", "quiz target", "0", "4"],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "a\nb,=c", "x" * 500, "\x1b[2J"])
def test_a_name_is_one_short_cell_and_no_formula(name: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    report.add(path, name, "why", 1, 1, NOW)
    (_, (_, shown, *_)) = rows(path)
    assert not shown.startswith(report.FORMULAS) and len(shown) <= report.LONGEST + 1
    assert shown.isprintable() and len(path.read_text("utf-8").splitlines()) == 2


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        report.add(tmp_path, "", "why", 1, 1, NOW)
    done = CliRunner().invoke(learn, ["why", "--report", "/nowhere/x.csv"])
    assert "/nowhere is no folder" in str(done.exception), "before the lesson"


def test_nobody_is_recorded_who_did_not_play(tmp_path: Path) -> None:
    done = CliRunner().invoke(learn, ["header", "--auto", "--report", str(tmp_path / "r.csv")])
    assert done.exit_code == 0 and not (tmp_path / "r.csv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_lesson_played_to_its_end_is_recorded(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "MINER_HOME": str(tmp_path),
        "TERM": "xterm",
        "COLUMNS": "80",
        "LINES": "99",
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "miner", "learn", "header", "--lang", "en", "--pupil", "Ada",
         "--report", str(tmp_path / "r.csv")],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        until(ours, "your answer")
        os.write(ours, b"nonce\n" + b"\n" * 8)
        until(ours, "Next: miner learn")
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    assert [row[1:] for row in rows(tmp_path / "r.csv")[1:]] == [["Ada", "header", "1", "3"]]
