"""The set-up matrix: `scripts/mine.py` on each Python here, under a stranger's conditions.

Each set-up starts from a copy of the project without .venv, ends with 3 blocks accepted by the
built-in node, and is one line of the table: Python, pip, seconds, native or not. Exits 1 when one
failed. `python3 scripts/lab/setups.py [--plan] [--seed N]`; standard library alone.
"""

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lab import setup_plan as plan

ROOT = Path(__file__).resolve().parent.parent.parent
COPIED = ("pyproject.toml", "README.md", "LICENSE", "miner", "csrc", "kernels", "scripts")
COMPILER = re.compile(r"(.*-)?(cc|c89|c99|gcc|g\+\+|c\+\+|clang|clang\+\+|tcc|zig)(-[\d.]+)?")
NOBODY = 65534
BLOCKS = 3
DEADLINE_S = 400  # of one start, on a busy machine
STEPS = ("making .venv", "installing libraries", "building and installing")
LONGEST_WAIT_S = 1.0  # from a step's announcement to the signal
INTERRUPTED = 128 + signal.SIGINT


class SetUpFailed(Exception):
    """A set-up did not do what it must; the text says what was seen."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one set-up happens: a copy of the project and the environment of its user."""

    root: Path
    env: dict[str, str]
    prefix: tuple[str, ...]  # before the command: becomes another user

    def start(self, python: str) -> "subprocess.Popen[str]":
        mine = str(self.root / "scripts" / "mine.py")
        return subprocess.Popen(
            [*self.prefix, python, mine, "--blocks", str(BLOCKS), "--json"],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # so that a signal can go to all of it, as Ctrl-C does
        )


def make_place(case: plan.Case, folder: Path) -> Place:
    """A copy of the project, and whatever the case's condition asks for."""
    root = folder / ("häus hash" if case.condition == plan.ODD_FOLDER else "homehash")
    root.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "_native*")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, root / name)
    hidden = ("MINER_", "PYTHON", "VIRTUAL_ENV")
    env = {name: text for name, text in os.environ.items() if not name.startswith(hidden)}
    env["MINER_TUNE"] = "0"  # a GPU's calibration is another subject
    if case.condition != plan.COMPILER_WHEEL:
        env["MINER_NO_COMPILER_DOWNLOAD"] = "1"
    prefix: tuple[str, ...] = ()
    if case.condition == plan.UNPRIVILEGED:
        home = folder / "home"
        home.mkdir(mode=0o555)
        env["HOME"] = str(home)
        prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        for path in [root, *root.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
    else:
        env["MINER_HOME"] = str(folder / "state")
    if case.condition in (plan.NO_COMPILER, plan.COMPILER_WHEEL):
        env["PATH"] = str(without_compilers(folder / "bin"))
        env.pop("CC", None)
    if case.pip:
        made = [case.python.path, "-m", "venv", str(root / ".venv")]
        subprocess.run(made, check=True)
        pip = [str(root / ".venv" / "bin" / "python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, f"pip=={case.pip}"], check=True, stdout=sys.stderr)
    return Place(root, env, prefix)


def without_compilers(folder: Path) -> Path:
    """A folder of links to every command on PATH that is no C compiler."""
    folder.mkdir()
    for place in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for command in Path(place).glob("*"):
            link = folder / command.name
            if not COMPILER.fullmatch(command.name) and not link.is_symlink():
                link.symlink_to(command)
    return folder


def finish(child: "subprocess.Popen[str]") -> tuple[list[dict[str, object]], str]:
    """Its events and what it said on stderr, once it mined its blocks; else SetUpFailed."""
    try:
        out, err = child.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        raise SetUpFailed(f"not ready after {DEADLINE_S} s") from None
    finally:
        end(child)
    if child.returncode != 0 or "Traceback" in err:
        raise SetUpFailed(f"exit code {child.returncode}:\n{err}")
    events = [json.loads(line) for line in out.splitlines()]
    blocks = [event for event in events if event["type"] == "block"]
    accepted = [event for event in blocks if event["answer"] == "accepted"]
    if len(accepted) < BLOCKS:
        raise SetUpFailed(f"{len(accepted)} blocks accepted, want {BLOCKS}:\n{out}")
    return events, err


def end(child: "subprocess.Popen[str]") -> None:
    """Nothing of it may outlive us, not even in a failure."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def interrupt(place: Place, python: str, step: str, wait_s: float) -> None:
    """Start, wait for a step and a moment more, press Ctrl-C: it must end at once and in words."""
    child = place.start(python)
    said = ""
    try:
        assert child.stderr is not None
        for line in child.stderr:
            said += line
            if step in line:
                break
        time.sleep(wait_s)
        os.killpg(child.pid, signal.SIGINT)
        said += child.communicate(timeout=60)[1]
    finally:
        end(child)
    if child.returncode != INTERRUPTED or "Traceback" in said:
        raise SetUpFailed(f"SIGINT in {step!r}: exit code {child.returncode}:\n{said}")


def mine(case: plan.Case, place: Place, dice: random.Random) -> list[dict[str, object]]:
    """Set up under the case's condition, and mine. Raises SetUpFailed."""
    python = case.python.path
    if case.condition == plan.INTERRUPTED:
        for step in STEPS:
            interrupt(place, python, step, dice.uniform(0, LONGEST_WAIT_S))
    if case.condition == plan.AT_ONCE:
        both = [place.start(python), place.start(python)]
        (events, first), (_, second) = [finish(child) for child in both]
        if (first + second).count("waiting for it") != 1:
            raise SetUpFailed(f"one of two must wait for the other:\n{first}{second}")
        return events
    events = finish(place.start(python))[0]
    if found := list((place.root / ".venv").rglob("ziglang*")):
        raise SetUpFailed(f"a compiler that was only for the build is still there: {found[0]}")
    return events


def native_used(case: plan.Case, events: list[dict[str, object]]) -> bool:
    """Whether native mined; SetUpFailed when it is there and should not be, or the reverse."""
    names = [str(event["text"]) for event in events if event["type"] == "backend"]
    native = any(name.startswith("native:") for name in names)
    compiler = any(map(shutil.which, ("cc", "gcc", "clang")))
    possible = compiler and case.condition != plan.NO_COMPILER
    possible |= case.condition == plan.COMPILER_WHEEL
    if native != possible:
        raise SetUpFailed(f"native {'used' if native else 'not used'}, {names}")
    return native


def pip_of(place: Place) -> str:
    python = str(place.root / ".venv" / "bin" / "python")
    said = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, text=True)
    return said.stdout.split()[1] if said.returncode == 0 else "?"


def rows(cases: list[plan.Case], seed: int) -> Iterator[tuple[str, bool]]:
    """Try each case; a line of the table, and whether it is as it must be."""
    for number, case in enumerate(cases):
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="homehash-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o755)  # another user has to get in
            pip, native, failure = "?", "-", ""
            try:
                place = make_place(case, folder)
                events = mine(case, place, random.Random(f"{seed} {number}"))
                native = "native" if native_used(case, events) else "not native"
                pip = pip_of(place)
                if case.pip and pip != case.pip:
                    raise SetUpFailed(f"pip {case.pip} was replaced by {pip}")
            except (SetUpFailed, OSError, subprocess.SubprocessError, ValueError) as error:
                failure = f"\n  FAILED: {error}\n{logs(folder)}"
        took = time.monotonic() - started
        facts = f"{case.python.version:9} {pip:9} {took:5.0f} s  {native:11}"
        yield f"{facts} {case.condition}{failure}", not failure


def logs(folder: Path) -> str:
    """The ends of the set-up's own logs."""
    texts = [(path, path.read_text(errors="replace")) for path in folder.glob("*/.venv/*.log")]
    return "".join(f"  {path.name}: ...{text[-1500:]}\n" for path, text in texts)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plan", action="store_true", help="print what would be tried, and end")
    parser.add_argument("--seed", type=int, default=20261129, help="when the signals come")
    options = parser.parse_args()
    notes: list[str] = []
    cases = plan.plan(plan.all_pythons(notes), plan.conditions_here(notes), notes)
    for note in notes:
        print(note, flush=True)
    if options.plan:
        for case in cases:
            print(f"{case.python.version:9} {case.pip:9} {case.condition}  {case.python.path}")
        return 0
    started, failed = time.monotonic(), 0
    print(
        f"{'Python':9} {'pip':9} seconds  backend     condition (seed {options.seed})", flush=True
    )
    for line, good in rows(cases, options.seed):
        print(line, flush=True)
        failed += not good
    took = time.monotonic() - started
    print(f"{len(cases)} set-ups in {took:.0f} s: {len(cases) - failed} good, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
