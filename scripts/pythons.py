"""Finds the CPythons of this machine; for require_python's sake any Python 3 can read this file."""

import glob
import os
import subprocess

KERNEL_MINORS = (13, 12, 11)  # CPython 3.x with a py-bitcoinkernel wheel, best first
VENV = "import venv, ensurepip"
# Where installers put a Python beside PATH; a name on PATH may be a shim that runs nothing.
BESIDE_PATH = (
    "~/.pyenv/versions/3.{0}.*/bin",
    "~/.local/share/uv/python/cpython-3.{0}.*/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/Library/Frameworks/Python.framework/Versions/3.{0}/bin",
    "~/AppData/Local/Programs/Python/Python3{0}",
)


def named(minor):
    # type: (int) -> list[str]
    """Every file that may be CPython 3.`minor`: those on PATH first, none twice."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for place in BESIDE_PATH:
        folders += sorted(glob.glob(os.path.expanduser(place.format(minor))), reverse=True)
    name = "python.exe" if os.name == "nt" else "python3." + str(minor)
    found = []  # type: list[str]
    for path in [os.path.join(folder, name) for folder in folders if folder]:
        if os.path.isfile(path) and os.path.realpath(path) not in map(os.path.realpath, found):
            found.append(path)
    return found


def why_not(python, minor, code=VENV):
    # type: (str, int, str) -> str
    """Why this file is no CPython 3.`minor` that can run the code; "" when it is one."""
    check = "import sys; assert sys.implementation.name == 'cpython', 'not CPython'; "
    check += "assert sys.version_info[:2] == (3, " + str(minor) + "), sys.version; " + code
    try:
        child = subprocess.Popen(
            [python, "-c", check], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = child.communicate()[0].decode("utf-8", "replace").split("\n")
    except OSError as error:
        return str(error)
    lines = [line.strip() for line in said if line.strip()]
    if child.returncode == 0:
        return ""
    return (
        lines[-1 if lines[0].startswith("Traceback") else 0] if lines else "it ends with an error"
    )


def find(minors, code=VENV):
    # type: (tuple[int, ...], str) -> str
    """The first CPython, by the order of `minors`, that runs the code here; "" if none does."""
    for minor in minors:
        for python in named(minor):
            if not why_not(python, minor, code):
                return python
    return ""
