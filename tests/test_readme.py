"""Every command of README.md is run, by the script that anyone can run."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


check_readme = load("check_readme")
COMMANDS = list(check_readme.commands((ROOT / "README.md").read_text(encoding="utf-8")))


@pytest.mark.skipif(
    "MINER_TEST_INSTALLED" not in os.environ, reason="not started by scripts/test.py"
)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.line[:60])
def test_command_works(command: Any, tmp_path: Path) -> None:
    assert check_readme.check(command, tmp_path) == ""


def test_the_readme_has_commands_for_each_reader() -> None:
    lines = [command.line for command in COMMANDS if command.runs]
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
    good, misspelt, failing, stopped, fine = check_readme.commands(PAGE)
    assert check_readme.check(good, tmp_path) == ""
    assert "--jason" in check_readme.check(misspelt, tmp_path)
    assert check_readme.check(failing, tmp_path).startswith("exit code 3")
    assert check_readme.check(stopped, tmp_path).startswith("exit code -2")  # not a clean stop
    assert check_readme.check(fine, tmp_path) == ""
    assert fine.line == "echo one    two"


def test_a_comment_without_a_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="not understood"):
        list(check_readme.commands("<!-- skip -->\n```sh\ntrue\n```\n"))
