"""Set-up by scripts/mine.py in a copy of the project: quick, safe to interrupt, clear in failure.

The copy's .venv sees the libraries of this run, so that nothing is downloaded; the rest is real.
"""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("pyproject.toml", "README.md", "LICENSE", "miner", "csrc", "kernels", "scripts")
DEADLINE_S = 120
COMMAND = '''"""Stands for `miner mine`: says what it was given, then ends as it is told."""

import os, signal, sys, time
import click

@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
def mine(arguments):
    print("got", *arguments, flush=True)
    if "wait" in arguments:
        time.sleep(60)
    sys.exit(int(arguments[-1]) if arguments else 0)
'''
pytestmark = pytest.mark.skipif(os.name == "nt", reason="drives POSIX signals and locks")


@dataclass(frozen=True, slots=True)
class Project:
    """A copy of the project and how to start its scripts."""

    root: Path
    env: dict[str, str]

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(self.root / "scripts" / "mine.py"), *arguments],
            env={**self.env, **env},
            cwd=self.root.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        child = self.start(*arguments, **env)
        try:
            out, err = child.communicate(timeout=DEADLINE_S)
        finally:
            child.kill()
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy with a hand-made .venv in which every library is there already."""
    root = tmp_path / "a copy"  # with a space, which paths may have
    ignore = shutil.ignore_patterns("__pycache__", "_native*")
    root.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=ignore)
        else:
            shutil.copy(source, root / name)
    (root / "miner" / "cli" / "mine.py").write_text(COMMAND)
    venv.create(root / ".venv", with_pip=False)
    (site,) = (root / ".venv").glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MINER_")}
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "MINER_PURE": "1"}
    kept.pop("PYTHONPATH", None)
    project = Project(root, {**kept, **offline})
    # Charts are not needed here, and may be missing where the suite runs.
    project.edit("pyproject.toml", '"matplotlib>=3.8"', '"click"')
    return project


def wait_for_text(child: "subprocess.Popen[str]", text: str) -> None:
    """Read stderr up to a line that holds the text."""
    assert child.stderr is not None
    for line in child.stderr:
        if text in line:
            return
    pytest.fail(f"ended without saying {text!r}")


def one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It failed with exit 1, and its last line alone says why."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("homehash")
    assert [word for word in words if word not in last] == []


def test_first_run_installs_second_is_quick_an_edit_is_seen(project: Project) -> None:
    first = project.run()
    assert first.returncode == 0, first.stderr
    assert first.stdout == "got\n"
    assert "ready after" in first.stderr
    started = time.monotonic()
    second = project.run()
    assert (second.returncode, second.stderr) == (0, "")
    assert time.monotonic() - started < 10  # "starts in seconds", with room for a busy machine
    project.edit("miner/cli/mine.py", '"got"', '"edited"')
    third = project.run()
    assert third.stdout == "edited\n", third.stderr
    assert "making .venv" not in third.stderr


def test_arguments_signals_and_the_exit_code_pass_straight_through(project: Project) -> None:
    assert project.run("--blocks", "a b", "7").stdout == "got --blocks a b 7\n"
    assert project.run("7").returncode == 7
    child = project.start("wait")
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=DEADLINE_S)
    assert (
        child.returncode == 0
    )  # the command has the signal, and mining stopped by one is no error


def test_a_killed_run_is_finished_by_the_next(project: Project) -> None:
    child = project.start()
    wait_for_text(child, "building and installing")
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=DEADLINE_S)
    done = project.run()
    assert done.returncode == 0, done.stderr
    assert "building and installing" in done.stderr
    assert done.stdout == "got\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_set_up_with_its_code(project: Project, number: int, code: int) -> None:
    child = project.start()
    wait_for_text(child, "building and installing")
    child.send_signal(number)
    _, err = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == code
    assert "Traceback" not in err


@pytest.mark.parametrize("module", ["pythons", "subprocess", "bootstrap", "tomllib", "steps"])
def test_ctrl_c_while_the_scripts_import_is_silent(
    project: Project, tmp_path: Path, module: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
    )
    done = project.run(PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_second_ctrl_c_does_not_break_into_the_tidying_up(project: Project) -> None:
    project.edit("scripts/steps.py", "child.terminate()", "time.sleep(1)")  # then its deadline
    project.edit("scripts/steps.py", "timeout=10", "timeout=1")
    child = project.start()
    wait_for_text(child, "building and installing")
    child.send_signal(signal.SIGINT)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == 130
    assert err.splitlines()[-1] == "homehash: interrupted; the next run goes on from here"


def test_a_half_made_environment_is_made_again(project: Project) -> None:
    (project.root / ".venv" / "homehash.json").write_text("{}")  # ours, never completed
    libraries = next((project.root / ".venv").glob("lib/python*/site-packages/libraries.pth"))
    done = project.run()
    assert "making .venv" in done.stderr
    assert not libraries.exists()


def test_keys_that_were_never_written_make_no_foreign_folder(project: Project) -> None:
    shutil.rmtree(project.root / ".venv")
    (project.root / ".venv").mkdir()
    (project.root / ".venv" / "homehash.new").write_text("{")  # a signal came before its rename
    assert "making .venv" in project.run().stderr


@pytest.mark.parametrize(("key", "again"), [("{}", True), ("{}, made by hand", False)])
def test_a_venv_without_the_node_is_made_again_unless_by_hand(
    project: Project, tmp_path: Path, key: str, again: bool
) -> None:
    """It is Python 3.14's, and a Python that can have the built-in node is here now."""
    if sys.version_info[:2] > (3, 13):
        pytest.skip("this Python has no built-in node itself")
    (tmp_path / f"python3.{sys.version_info[1]}").symlink_to(os.path.realpath(sys.executable))
    venv = project.root / ".venv"
    (venv / "homehash.json").write_text(json.dumps({"environment": key.format(project.root)}))
    settings = (venv / "pyvenv.cfg").read_text()
    (venv / "pyvenv.cfg").write_text(re.sub(r"version = .*", "version = 3.14.0", settings))
    done = project.run(PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert ("making .venv" in done.stderr) is again


def test_two_runs_at_once_take_turns(project: Project) -> None:
    first = project.start()
    wait_for_text(first, "building and installing")
    second = project.run()
    first.communicate(timeout=DEADLINE_S)
    assert (first.returncode, second.returncode) == (0, 0)
    assert second.stderr == "homehash: another run is setting up this folder; waiting for it\n"


def test_a_failing_extra_is_named_and_the_rest_goes_on(project: Project) -> None:
    project.edit("pyproject.toml", 'plots = [\n    "click"', 'plots = [\n    "homehash-nothing"')
    done = project.run()
    assert done.returncode == 0
    assert "going on without the extra 'plots': " in done.stderr
    assert "homehash-nothing" in done.stderr
    assert done.stdout == "got\n"
    assert project.run().stderr == ""  # and the next start does not try again at once


def test_no_network_is_said_in_one_line(project: Project) -> None:
    project.edit("pyproject.toml", '"click>=8.1"', '"homehash-nothing"')
    online = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    one_line(project.run(**online), "installing libraries", "no connection", "connect and run")


def test_a_library_that_does_not_exist_is_named(project: Project) -> None:
    project.edit("pyproject.toml", '"click>=8.1"', '"homehash-nothing"')
    one_line(project.run(), "installing libraries", "homehash-nothing")


def test_a_failed_step_is_told_in_its_own_words(project: Project) -> None:
    """As pip 23.0 said of the short -C, which it does not know."""
    project.edit("scripts/bootstrap.py", '"--config-settings"', '"--no-such-thing"')
    one_line(project.run(), "building and installing", "no such option: --no-such-thing")


def test_an_untrusted_certificate_is_no_missing_connection(project: Project) -> None:
    project.edit("scripts/bootstrap.py", '"-m", "pip", "install"', '"-c", "import ssl; raise "')
    project.edit(
        "scripts/bootstrap.py", 'raise "', "raise ssl.SSLError('CERTIFICATE_VERIFY_FAILED')\""
    )
    project.edit("pyproject.toml", '"click>=8.1"', '"click>=8.0"')
    one_line(project.run(), "installing libraries", "certificate is not trusted", "PIP_CERT")


def test_a_missing_venv_module_names_the_command(project: Project, tmp_path: Path) -> None:
    shutil.rmtree(project.root / ".venv")
    (tmp_path / "ensurepip.py").write_text("raise ImportError('as on a bare Debian')\n")
    one_line(project.run(PYTHONPATH=str(tmp_path)), "sudo apt install python3-venv")


def test_a_foreign_folder_is_never_emptied(project: Project) -> None:
    shutil.rmtree(project.root / ".venv")
    (project.root / ".venv").mkdir()
    (project.root / ".venv" / "mine.txt").write_text("keep")
    one_line(project.run(), "was not made by this script", "remove it")
    assert (project.root / ".venv" / "mine.txt").exists()


def test_a_failed_c_build_is_loud(project: Project) -> None:
    env = {"MINER_PURE": "", "CC": "/no/such/compiler", "MINER_NO_COMPILER_DOWNLOAD": "1"}
    done = project.run(**env)
    assert done.returncode == 0, done.stderr
    assert "THE C BUILD FAILED" in done.stderr
    assert "build-essential" in done.stderr
    assert done.stdout == "got\n"


def test_a_compiler_that_cannot_be_fetched_is_a_line_and_set_up_goes_on(project: Project) -> None:
    """No network: the next way is without C, and it is tried again an hour later."""
    env = {"MINER_PURE": "", "CC": "/no/such/compiler"}
    done = project.run(**env)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    (size,) = (line for line in lines if "101 MB to download, 411 MB on disk" in line)
    (failed,) = (line for line in lines if line.endswith("going on without C"))
    assert lines.index(size) < lines.index(failed) and "ziglang" in failed
    assert "THE C BUILD FAILED" in done.stderr
    assert done.stdout == "got\n"
    assert project.run(**env).stderr == ""  # not at once
    keys = project.root / ".venv" / "homehash.json"
    kept = json.loads(keys.read_text())
    name, then = kept["failed native"].split()
    keys.write_text(json.dumps({**kept, "failed native": f"{name} {float(then) - 4000:.0f}"}))
    assert "101 MB" in project.run(**env).stderr


@pytest.mark.parametrize("name", ["require_python", "pythons", "mine", "test"])
def test_an_old_python_can_read_the_scripts(name: str) -> None:
    source = (ROOT / "scripts" / f"{name}.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))


def old_pythons() -> list[str]:
    """Interpreters older than 3.11 on this machine."""
    names = [f"python3.{minor}" for minor in range(6, 11)]
    folders = [str(path) for path in Path.home().glob(".pyenv/versions/3.*/bin")]
    search = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    found = [path for name in names if (path := shutil.which(name, path=search))]
    return [
        path for path in found if not subprocess.run([path, "-V"], capture_output=True).returncode
    ]


def test_an_old_python_ends_with_one_line() -> None:
    found = old_pythons()
    if not found:
        pytest.skip("no Python older than 3.11 here")
    for interpreter in {found[0], found[-1]}:
        done = subprocess.run(
            [interpreter, str(ROOT / "scripts" / "mine.py")], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert done.stderr.startswith("homehash needs Python 3.11 or newer, this is 3.")
        assert len(done.stderr.splitlines()) == 1


def test_the_matrix_plans_every_condition_within_eight_set_ups() -> None:
    script = ROOT / "scripts" / "lab" / "setups.py"
    command = [sys.executable, str(script), "--plan"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line for line in lines if re.match(r"3\.\d+\.\d+ ", line)]
    assert 3 <= len(rows) <= 8
    for condition in ("SIGINT", "declined", "as a wheel", "two at", "umlaut"):
        assert sum(condition in row for row in rows) == 1
    unprivileged = [line for line in lines if "unprivileged" in line]
    assert len(unprivileged) == 1  # a row, or the reason why there is none
