"""Every sentence the miner can tell, in one file that people read: tests/golden/sentences.txt."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "sentences.py"
GOLDEN = ROOT / "tests" / "golden" / "sentences.txt"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_the_golden_file_holds_every_sentence_of_the_code() -> None:
    done = run("--check")
    assert done.returncode == 0, f"{done.stdout}read them, then run scripts/sentences.py"


def test_what_is_a_sentence(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text(
        '''"""No sentence is told here."""
import re
PLAIN, WORD, BLUE = "two words", "word", "bold blue"
HEADS = ("worker", "10 s", "state"), ("worker", "10 s", "state")
FIELDS = ["name_of", "field", "other"]

def f(name: str) -> None:
    """Nor here."""
    re.compile("a b c")
    if name:
        raise errors.ConfigError(f"{name!r} is {len(name):,} bytes"
                                 f" long, {'or so' if name else 'no'}; cut it")
    raise ValueError(name)

@main.command()
def command() -> None:
    """Help of
    a command."""
'''
    )
    assert run(str(code)).stdout.splitlines() == [
        "columns: two words | word | bold blue",
        "two words",
        "columns: worker | 10 s | state",
        "ConfigError: {name} is {len(name)} bytes long, {'or so' if name else 'no'}; cut it",
        "ConfigError: or so",
        "Help of a command.",
    ]


def test_sentences_are_written_as_people_write_them() -> None:
    """An error is part of one line: no full stop at its end, no capital after a colon."""
    told = [line for line in GOLDEN.read_text("utf-8").splitlines() if "Error: " in line[:30]]
    assert len(told) > 200
    assert [line for line in told if line.endswith((".", "!")) and not line.endswith("...")] == []
