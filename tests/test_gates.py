"""The cheap gates, first: lint, format, types, sizes, and that nothing local is tracked."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str) -> str:
    """The output; the test fails with it unless the command exits 0."""
    tool = shutil.which(command[0], path=str(Path(sys.executable).parent)) or command[0]
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", "--no-cache", ".")


def test_everything_is_formatted() -> None:
    run("ruff", "format", "--no-cache", "--check", ".")


def test_types_are_strict() -> None:
    run("mypy")


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_types_are_strict_on_other_systems(system: str) -> None:
    """What users run there, set-up and build included."""
    scripts = [f"scripts/{name}" for name in ("mine.py", "bootstrap.py", "build_backend")]
    caches = f".mypy_cache/{system}"  # one of its own: another platform's would be thrown away
    run("mypy", "--platform", system, "--cache-dir", caches, "miner", *scripts)


def test_sizes_stay_in_budget() -> None:
    run(sys.executable, "scripts/sizes.py")


def test_sizes_script_sees_what_is_too_big(tmp_path: Path) -> None:
    big, body = tmp_path / "big.py", "    x = 1\n"
    own = "".join(f"        self.x{n} = self.x{n - 1} = 0\n" for n in range(1, 13))
    classes = "".join(
        f"\n{above}class {name}:\n    def __init__(self):\n{own}"
        for name, above in (("Large", ""), ("Data", "@dataclass\n"))
    )
    big.write_text(f"def long():\n{body * 40}\n\ndef allowed():  # a table\n{body * 59}{classes}")
    assert sizes_of(big) == [
        "long has 41 lines, at most 40",
        "Large has 13 attributes, at most 12",
    ]
    big.write_text("x = 1\n" * 401)
    assert sizes_of(big) == ["401 lines, at most 400"]


def sizes_of(path: Path) -> list[str]:
    """What the script says of one file, without where."""
    command = [sys.executable, "scripts/sizes.py", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return [line.split(": ", 1)[1] for line in done.stdout.splitlines()]


# Folders of one machine and hosts of registries; written so that this file passes its own test.
BANNED = re.compile(r"(?<![\w.])/wor[k]/|\.\./share[d]|/opt/pyp[i]|pypi[.]org|pythonhosted[.]org")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout: nothing is tracked")
def test_no_tracked_file_names_one_machine() -> None:
    found = []
    for name in run("git", "ls-files", "-z").split("\0"):
        path = ROOT / name
        if name and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{name}: {banned[0]}" for banned in BANNED.finditer(text)]
    assert not found
