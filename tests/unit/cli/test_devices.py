"""`miner devices` shows every candidate, in three forms, and nothing a driver could inject."""

import io
import json

import pytest
from click.testing import CliRunner
from rich.console import Console

from miner.backends import registry
from miner.backends.base import Candidate, Kind
from miner.backends.choice import choose
from miner.cli import devices as command

EVIL = "\x1b[31mred\x1b[0m\nsecond [bold]line"
CPU = Kind.CPU
ROWS = [
    Candidate("native", CPU, False, why_not="not built: no C compiler was found", rank=0),
    Candidate("hashlib", CPU, True, rank=1, detail="OpenSSL"),
    Candidate("numpy", CPU, True, rank=2),
    Candidate("evil", CPU, True, detail=EVIL, external=True),
]


@pytest.fixture(autouse=True)
def candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "probe_all", lambda: ROWS)


def test_piped_output_is_one_plain_line_a_backend() -> None:
    done = CliRunner().invoke(command.devices)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "backend  use      details, or what is missing",
        "native   no       not built: no C compiler was found",
        "hashlib  auto     OpenSSL",
        "numpy    by name  passed over: hashlib comes first",
        "evil     by name  external; red second [bold]line",
    ]


def test_json_is_one_object_a_line_with_the_reason() -> None:
    done = CliRunner().invoke(command.devices, ["--json"])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["name"] for row in rows] == ["native", "hashlib", "numpy", "evil"]
    assert rows[0]["usable"] is False
    assert [row["auto"] for row in rows] == [False, True, False, False]
    assert rows[2]["passed_over"] == "hashlib comes first"
    assert rows[0]["why_not"] == "not built: no C compiler was found"
    assert rows[3]["detail"] == EVIL  # JSON escapes it


def test_the_table_shows_text_and_obeys_no_markup() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(command.table(ROWS, choose(ROWS)))
    text = console.export_text()
    assert "not built: no C compiler was found" in text
    assert "external; red second [bold]line" in text
    assert "\x1b" not in text
