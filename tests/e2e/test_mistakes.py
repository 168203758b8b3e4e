"""Each mistake ends at once with one line of cause on stderr and the documented exit code.

In this process, to be quick; a sample, or all with MINER_ALL_PROCESSES=1, as real commands.
"""

import os
import re
import sys
import time
from pathlib import Path

import pytest

from miner.cli import main as entry
from tests.e2e.conftest import Start
from tests.e2e.mistakes import MISTAKES, SAMPLE, Mistake
from tests.faults import fault

pytest.importorskip("pbk", reason="no kernel wheel for this Python")

ALL = bool(os.environ.get("MINER_ALL_PROCESSES"))
START_S = 3.0  # on a calm machine
PATIENCE_S = 30.0 if not ALL else START_S  # the machine may be busy with other tests


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    (made / "empty").touch()
    (made / "binary").write_bytes(bytes(range(128, 256)))
    return made


def prepared(mistake: Mistake, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment; the configuration file is written."""
    if mistake.config is not None:
        (folder / "config").mkdir()
        (folder / "config" / "config.toml").write_text(mistake.config)
        (folder / "config" / "config.toml").chmod(0o644)
    words = [re.sub(r"\bHOME\b", str(folder), word) for word in mistake.given.split()]
    split = next(i for i, word in enumerate(words) if not re.match(r"[A-Z_]+=", word))
    environment = dict(word.split("=", 1) for word in words[:split])
    return words[split:], environment


def judge(mistake: Mistake, folder: Path, code: object, errors: str) -> None:
    assert code == mistake.code, errors
    assert "Traceback" not in errors
    lines = [line for line in errors.splitlines() if line.startswith("miner")]
    assert len(lines) == 1, errors
    assert errors.rstrip("\n").endswith(lines[0]), errors
    assert mistake.words.replace("HOME", str(folder)) in lines[0]
    assert len(lines[0]) < 400 and lines[0].isprintable()


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in [name for name in os.environ if name.startswith("MINER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MINER_HOME", str(folder))
    monkeypatch.setenv("MINER_IDLE", "no")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name[:60])
@pytest.mark.usefixtures("clean_environment")
@fault("P16")
def test_a_mistake_is_one_line(
    mistake: Mistake,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    arguments, environment = prepared(mistake, folder)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["miner", *arguments])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    judge(mistake, folder, ended.value.code, capfd.readouterr().err)


REAL = MISTAKES if ALL else [MISTAKES[index] for index in SAMPLE]


@pytest.mark.parametrize("mistake", REAL, ids=lambda mistake: mistake.name[:60])
@fault("P16")
def test_the_real_command_ends_soon(miner: Start, folder: Path, mistake: Mistake) -> None:
    arguments, environment = prepared(mistake, folder)
    began = time.monotonic()
    command = miner(*arguments, **environment)
    code = command.end(PATIENCE_S)
    assert time.monotonic() - began < PATIENCE_S
    judge(mistake, folder, code, "".join(command.err))
