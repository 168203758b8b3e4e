"""`miner board` as its user starts it: over homehash's neighbours of several kinds."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import miners

RECORDED = Path(__file__).parents[1] / "vectors" / "board"
AXEOS = json.loads((RECORDED / "axeos.json").read_text())
CGMINER = json.loads((RECORDED / "cgminer.json").read_text())
Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Start:
    def start(*arguments: str) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MINER_")}
        return subprocess.run(
            [sys.executable, "-P", "-m", "miner", "board", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**inherited, "MINER_HOME": str(tmp_path)},
        )

    return start


def test_one_table_over_three_kinds_and_one_that_is_away(run: Start, tmp_path: Path) -> None:
    with (
        miners.miner(miners.http({"/api/system/info": AXEOS})) as axe,
        miners.miner(miners.cgminer(CGMINER)) as old,
    ):
        sources = [
            f"axeos://127.0.0.1:{axe.port}",
            f"Shed=cgminer://127.0.0.1:{old.port}",
            f"ckpool:{RECORDED / 'ckpool'}",
            f"axeos://127.0.0.1:{old.port}",  # another language is spoken there
        ]
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "board.toml").write_text(f"sources = {json.dumps(sources)}\n")
        done = run()
        told = run("--json", "--once", *sources)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    (heads,) = [line for line in lines if line.startswith("miner ")]
    assert heads.split()[:3] == ["miner", "kind", "state"]
    bitaxe = next(line for line in lines if line.startswith("bitaxe-7"))
    assert "1.20 TH/s" in bitaxe and "18.4 W" in bitaxe and "58 °C" in bitaxe
    away = next(line for line in lines if line.startswith(f"127.0.0.1:{old.port}"))
    assert "offline" in away and "never" in away and "–" in away
    assert "Shed" in done.stdout and "axe (by its pool)" in done.stdout
    assert "2 of 3 miners online, 1.20 TH/s (2 of 3 tell)" in done.stdout
    tree = json.loads(told.stdout)
    assert [one["kind"] for one in tree["miners"][:2]] == ["axeos", "cgminer"]
    assert tree["totals"]["rate_hs"]["of"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no miner is named"),
        (("axoes://h",), "is axeos meant?"),
        (("--scan", "8.8.8.0/24"), "no private network"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_2(
    run: Start, arguments: tuple[str, ...], words: str
) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_on_a_terminal_it_goes_on_until_it_is_interrupted(tmp_path: Path) -> None:
    with miners.miner(miners.http({"/api/system/info": AXEOS})) as axe:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "miner", "board", f"axeos://127.0.0.1:{axe.port}"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "MINER_HOME": str(tmp_path), "COLUMNS": "200", "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(theirs)
        seen = b""
        while b"1.20 TH/s" not in seen:
            seen += os.read(ours, 65536)
        process.send_signal(2)
        assert process.wait(10) == 0
        os.close(ours)
    assert b"bitaxe-7" in seen and b"Traceback" not in seen
