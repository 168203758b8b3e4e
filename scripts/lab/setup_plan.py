"""Which set-ups the matrix tries: the Pythons that really run here, one condition on each."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import pythons

MOST = 8  # set-ups, so that the whole matrix takes ten minutes on two cores
OLD_PIPS = ("22.3.1", "23.0.1")  # of Python 3.11.0 and of Debian 12; neither works on 3.12
MINORS = (11, 12, 13)  # with a wheel of the built-in node, which mines the blocks
FACTS = (
    "import json, os, platform, sys; print(json.dumps("
    "[os.path.realpath(sys.executable), platform.python_version(), sys.version_info[1]]))"
)
UNPRIVILEGED = "unprivileged user, read-only HOME"
INTERRUPTED = "SIGINT in each step, then again"
NO_COMPILER = "no compiler on PATH, its download declined"
COMPILER_WHEEL = "no compiler on PATH, so one comes as a wheel"  # the one row that downloads it
AT_ONCE = "two at the same time"
ODD_FOLDER = "folder with a space and an umlaut"
PLAIN = "nothing special"
NEED_A_FRESH_VENV = (INTERRUPTED,)


@dataclass(frozen=True, slots=True)
class Python:
    """A CPython that runs here."""

    path: str
    real: str  # the file behind links and shims
    version: str
    minor: int


@dataclass(frozen=True, slots=True)
class Case:
    """One set-up of the matrix."""

    python: Python
    condition: str = PLAIN
    pip: str = ""  # put into a .venv made beforehand; "": mine.py makes the .venv


def identify(path: str) -> Python:
    """What this Python says of itself. Raises OSError or ValueError when it does not run."""
    said = subprocess.run([path, "-c", FACTS], capture_output=True, text=True, check=False).stdout
    return Python(path, *json.loads(said))


def system_python(notes: list[str]) -> Python | None:
    """The one that a newcomer's `python3` is, if the built-in node can be had with it."""
    path = next(filter(os.path.exists, ["/usr/bin/python3"]), None) or shutil.which("python3")
    if path is None:
        notes.append("python3: none on this system")
        return None
    found = identify(path)
    if found.minor >= MINORS[0] and (found.minor in MINORS or pythons.find(MINORS)):
        return found
    notes.append(f"{path}: Python {found.version} has no built-in node, and no other is here")
    return None


def all_pythons(notes: list[str]) -> list[Python]:
    """The system's, then every other CPython 3.11 to 3.13 here, the newest of a minor first."""
    system = system_python(notes)
    found = [system] if system else []
    for minor in MINORS:
        for path in pythons.named(minor):
            if why := pythons.why_not(path, minor):
                notes.append(f"{path}: passed over: {why}")
                continue
            python = identify(path)
            if python.real not in [other.real for other in found]:
                found.append(replace(python, path=python.real))
    return found


def plan(found: list[Python], conditions: list[str], notes: list[str]) -> list[Case]:
    """Every Python, the old pips, and each condition once; at most MOST set-ups."""
    cases = [Case(python) for python in found]
    old = next((python for python in found if python.minor == 11), None)
    if old is None:
        notes.append(f"pip {', '.join(OLD_PIPS)}: no Python 3.11 here to try them on")
    else:
        cases += [Case(old, pip=pip) for pip in OLD_PIPS]
    left = list(conditions)
    for number, case in enumerate(cases):
        fits = [one for one in left if not (case.pip and one in NEED_A_FRESH_VENV)]
        if fits:
            cases[number] = replace(case, condition=fits[0])
            left.remove(fits[0])
    cases += [Case(found[0], condition) for condition in left]
    for case in cases[MOST:]:
        notes.append(f"{case.python.path}, {case.condition}: left out, {MOST} set-ups are enough")
    return cases[:MOST]


def conditions_here(notes: list[str]) -> list[str]:
    """Every condition that can be made on this machine, the first for the system's Python."""
    able = [INTERRUPTED, NO_COMPILER, COMPILER_WHEEL, AT_ONCE, ODD_FOLDER]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        return [UNPRIVILEGED, *able]
    notes.append(f"{UNPRIVILEGED}: skipped, it takes root and setpriv")
    return able
