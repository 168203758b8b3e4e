"""The catalogue of faults is complete: each case has tests, and each mark of a test is a case."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "check_faults.py"


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=120
    )


def test_every_case_has_a_test() -> None:
    done = check()
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('@fault("S02")\ndef test_lines(): ...', "NO TEST: S04"),
        ('@fault("S99")\ndef test_news(): ...', "NO SUCH CASE: S99"),
        ('@fault("S02")\n@pytest.mark.skip("later")\ndef test_lines(): ...', "NO TEST: S02"),
        ('class Tests:\n    @fault("G05", "P01")\n    def test_two(self): ...', "G05    1 tests"),
    ],
)
def test_the_check_sees_what_is_missing(tmp_path: Path, code: str, words: str) -> None:
    (tmp_path / "test_one.py").write_text(code)
    done = check("--tests", str(tmp_path))
    assert done.returncode == 1
    assert words in done.stdout
