"""Runs every command of README.md, so that what it promises stays true.

Commands are the lines of fenced `sh` blocks and the lines after `$ ` of `console` blocks. A comment
before a block changes what is done with it:

  <!-- not run: REASON -->   shell syntax is checked, and the options of `miner` commands are parsed
  <!-- stop after N s -->    started, interrupted after N seconds, and must then exit with 0

Use: check_readme.py [FILE] [--list] [--only N...]. Exits 1 naming the commands that fail.
"""

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 300  # the slowest command sets .venv up
BLOCK = re.compile(
    r"(?:<!--\s*(?P<note>.*?)\s*-->\s*\n)?^```(?P<kind>sh|console)\n(?P<body>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
PARSE = """
import sys
from miner.cli.main import cli
name, arguments = sys.argv[1], sys.argv[2:]
with cli.make_context("miner", [name, *arguments]) as outer:
    command = cli.get_command(outer, name)
    if command is None:
        sys.exit(f"no such command: {name}")
    command.make_context(name, arguments, parent=outer)
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One line to run; `stop_s` as in the comment, None when it ends by itself."""

    line: str
    runs: bool = True
    stop_s: float | None = None


def commands(text: str) -> Iterator[Command]:
    """Every command of a page. Raises ValueError on a comment that means nothing."""
    for block in BLOCK.finditer(text):
        note = block["note"] or ""
        stop = re.fullmatch(r"stop after ([0-9.]+) s", note)
        if note and not stop and not re.fullmatch(r"not run: \S.*", note):
            raise ValueError(f"comment before a command block not understood: {note!r}")
        for line in block["body"].replace("\\\n", " ").splitlines():
            if block["kind"] == "console":
                if not line.startswith("$ "):
                    continue
                line = line[2:]
            if line.strip() and not line.lstrip().startswith("#"):
                seconds = float(stop[1]) if stop else None
                yield Command(line.strip(), not note.startswith("not run"), seconds)


def environment(home: Path) -> dict[str, str]:
    """A home of its own, `miner` from this environment, and nobody's settings."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MINER_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "MINER_HOME": str(home / "homehash"), "HOME": str(home)}


def folder() -> Path:
    """Where commands leave their files, for later ones to read: not among the tracked ones."""
    path = ROOT / "build" / "readme"
    path.mkdir(parents=True, exist_ok=True)
    return path


def check(command: Command, home: Path) -> str:
    """Run or parse one command; "" when all is well, else what went wrong."""
    if not command.runs:
        return parse(command.line, home)
    child = subprocess.Popen(
        ["bash", "-c", f"exec {command.line}" if command.stop_s else command.line],
        cwd=ROOT if "scripts/" in command.line else folder(),
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return ended(child, command.stop_s)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()


def ended(child: "subprocess.Popen[str]", stop_s: float | None) -> str:
    """Wait for the end, asked for or its own; the tail of the output when it was a bad one."""
    if stop_s is not None:
        try:
            output, _ = child.communicate(timeout=stop_s)
            return f"ended before {stop_s:g} s with {child.returncode}: {output[-500:]}"
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)
    try:
        output, _ = child.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"did not end within {TIMEOUT_S} s"
    return "" if child.returncode == 0 else f"exit code {child.returncode}: {output[-500:]}"


def parse(line: str, home: Path) -> str:
    """Check a command that needs what only its reader has: syntax, and our own options."""
    words = shlex.split(line)
    syntax = subprocess.run(["bash", "-n", "-c", line], capture_output=True, text=True, check=False)
    if syntax.returncode:
        return syntax.stderr.strip()
    if words[0] != "miner":
        return ""
    done = subprocess.run(
        [sys.executable, "-c", PARSE, *words[1:]],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip()[-500:] if done.returncode else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", nargs="?", type=Path, default=ROOT / "README.md")
    parser.add_argument("--list", action="store_true", help="number the commands, run none")
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="these of the list")
    options = parser.parse_args()
    failed = 0
    for number, command in enumerate(commands(options.page.read_text(encoding="utf-8"))):
        how = "run" if command.runs else "parsed"
        if options.list:
            print(f"{number:3} {how:6} {command.line}")
        elif options.only is None or number in options.only:
            with tempfile.TemporaryDirectory() as home:
                problem = check(command, Path(home))
            print(f"{'FAILED' if problem else 'ok':6} {how:6} {command.line}")
            if problem:
                failed += 1
                print(f"       {problem}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
