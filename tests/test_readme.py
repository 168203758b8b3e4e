"""Every command of README.md is run, by the script that anyone can run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def check_readme(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / "check_readme.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


COMMANDS = [line.split(maxsplit=2) for line in check_readme("--list").stdout.splitlines()]


@pytest.mark.skipif(
    "MINER_TEST_INSTALLED" not in os.environ, reason="not started by scripts/test.py"
)
@pytest.mark.parametrize(
    "number", [number for number, _, _ in COMMANDS], ids=[line[:60] for _, _, line in COMMANDS]
)
def test_command_works(number: str) -> None:
    done = check_readme("--only", number)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_has_commands_for_each_reader() -> None:
    lines = [line for _, how, line in COMMANDS if how == "run"]
    for wanted in ("python3 scripts/mine.py", "miner devices", "miner learn", "miner node"):
        assert [line for line in lines if line.startswith(wanted)], wanted


PAGE = """
<!-- not run: needs a node -->
```sh
miner devices --json
miner devices --jason
```
```console
$ exit 3
what it prints
```
<!-- stop after 0.5 s -->
```sh
sleep 30
```
```sh
# a comment
echo one \\
  two
```
"""


def test_failures_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    done = check_readme(page)
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok", "FAILED"))]
    assert lines == [
        "ok     parsed miner devices --json",
        "FAILED parsed miner devices --jason",
        "FAILED run    exit 3",
        "FAILED run    sleep 30",
        "ok     run    echo one    two",
    ]
    for why in ("No such option", "exit code 3:", "exit code -2"):  # not a clean stop
        assert why in done.stdout


def test_a_comment_without_a_meaning_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- skip -->\n```sh\ntrue\n```\n")
    done = check_readme(page)
    assert done.returncode == 1
    assert "not understood" in done.stderr
