"""What was measured is never lost: targets are tried first, and results written before printed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli.main import cli
from miner.errors import ConfigError
from miner.measure import session, store
from miner.measure.bench import Bench
from miner.measure.result import Result

MINER = [sys.executable, "-P", "-m", "miner"]
SHORT = ["bench", "--backend", "hashlib", "--threads", "1", "--samples", "1"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], str]:
    """Runs a command that must be refused before anything is measured; its error."""

    def measured(*words: object, **known: object) -> Result:
        raise AssertionError("measured first, and refused only then")

    monkeypatch.setattr(session, "run", measured)

    def refused(words: list[str]) -> str:
        done = CliRunner().invoke(cli, words)
        assert isinstance(done.exception, ConfigError), (words, done.exception)
        return str(done.exception)

    return refused


def no_folder(path: Path) -> str:
    return str(path / "absent" / "out")


def a_folder(path: Path) -> str:
    (path / "out.json").mkdir()
    return str(path / "out")


@pytest.mark.parametrize("place", [no_folder, a_folder])
@pytest.mark.parametrize("several", [[], ["--runs", "3"]])
def test_an_unwritable_export_is_refused_first(
    home: Path, unmeasured: Callable[[list[str]], str], place: Callable[[Path], str],
    several: list[str],
) -> None:  # fmt: skip
    target = f"{place(home)}.json"
    assert "--export" in unmeasured(["bench", "--export", target, *several])


def test_no_run_is_measured_when_another_runs_file_cannot_be_written(
    home: Path, unmeasured: Callable[[list[str]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miner.measure.runs.measure", lambda *words: pytest.fail("measured first"))
    (home / "out-old-3.json").mkdir()
    words = ["bench", "--runs", "3", "--export", "out.json", "--against", "miner"]
    assert "out-old-3.json cannot be written" in unmeasured(words)


@pytest.mark.parametrize(
    ("option", "name"), [("--plot", "a.png"), ("--plot", "a.svg"), ("--html", "a.html")]
)
def test_an_unwritable_page_or_picture_is_refused_first(
    home: Path, unmeasured: Callable[[list[str]], str], option: str, name: str
) -> None:
    assert option in unmeasured(["gap", option, f"absent/{name}"])


def test_each_picture_is_tried_first(home: Path, unmeasured: Callable[[list[str]], str]) -> None:
    (home / "gap-other-way.png").mkdir()
    assert "gap-other-way.png cannot be written" in unmeasured(["gap", "--plot", "gap.png"])
    assert [path.name for path in home.glob("gap*")] == ["gap-other-way.png"]


def test_a_state_folder_that_cannot_be_written_is_refused_first(
    home: Path, unmeasured: Callable[[list[str]], str]
) -> None:
    (home / "home").write_text("a file where a folder should be")
    assert "--save" in unmeasured(["bench", "--save"])


def test_pictures_without_matplotlib_are_refused_first(
    home: Path, unmeasured: Callable[[list[str]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = unmeasured(["gap", "--plot", "gap.png"])
    assert ".venv/bin/pip install '.[plots]'" in said


def test_trying_a_target_leaves_nothing_behind_and_harms_nothing(
    home: Path, unmeasured: Callable[[list[str]], str]
) -> None:
    (home / "kept.json").write_text("kept")
    unmeasured(["bench", "--export", "kept.json", "--watts", "-1"])
    unmeasured(["bench", "--export", "new.json", "--watts", "-1"])
    assert (home / "kept.json").read_text() == "kept"
    assert not (home / "new.json").exists()


def test_a_reader_that_leaves_costs_no_result(tmp_path: Path) -> None:
    """As in `miner bench --export out.json | head -1`, with a reader that leaves at once."""
    read, write = os.pipe()
    os.close(read)
    out = tmp_path / "out.json"
    with os.fdopen(write, "wb") as pipe:
        subprocess.run(
            [*MINER, *SHORT, "--export", str(out)], cwd=tmp_path, stdout=pipe,
            stderr=subprocess.DEVNULL, timeout=60, check=False,
            env={"MINER_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    assert len(store.load(out).cases[0].slices) == 1


def test_an_interrupt_before_the_first_case_is_a_file_that_loads(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Bench, "add", interrupted)
    done = CliRunner().invoke(cli, [*SHORT, "--export", "out.json"])
    assert done.exit_code == 130
    assert json.loads((home / "out.json").read_text())["cases"] == []
    assert store.load(home / "out.json").partial


def test_a_full_disk_costs_the_file_and_not_the_figures(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(found: Result, path: Path) -> None:
        raise ConfigError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr("miner.measure.export.write", full)
    done = CliRunner().invoke(cli, [*SHORT, "--export", "out.json"])
    assert isinstance(done.exception, ConfigError)
    assert "hashlib x1 v1" in done.stdout
