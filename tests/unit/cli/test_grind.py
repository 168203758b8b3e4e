"""`miner grind` keeps the contract of `bitcoin-util grind`: one argument, one line, exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import miner
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.target import target_from_nbits

REGTEST_HEX = "01000000" + 32 * "00" + 32 * "3b" + "29ab5f49" + "ffff7f20" + "ffffffff"


def grind(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    package = str(Path(miner.__file__).parent.parent)  # the one under test
    return subprocess.run(
        [sys.executable, "-P", "-m", "miner", "grind", *arguments],
        env={**os.environ, "MINER_HOME": str(home), "PYTHONPATH": package},
        cwd=home,
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("bits", ["ffff7f20", "ffff0020", "ffff001f"])
def test_prints_the_header_with_another_nonce(bits: str, tmp_path: Path) -> None:
    given = REGTEST_HEX.replace("ffff7f20", bits)
    done = grind(given, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\n")
    solved = done.stdout.strip()
    assert solved[:152] == given[:152]  # version, time and the rest are untouched
    target = target_from_nbits(int.from_bytes(bytes.fromhex(bits), "little"))
    assert int.from_bytes(sha256d(bytes.fromhex(solved)), "little") <= target


def test_a_chosen_backend_is_used_or_fails(tmp_path: Path) -> None:
    assert grind(REGTEST_HEX, "--backend", "hashlib", home=tmp_path).returncode == 0
    unknown = grind(REGTEST_HEX, "--backend", "abacus", home=tmp_path)
    assert unknown.returncode == 3
    assert "abacus" in unknown.stderr
    assert len(unknown.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("header_hex", "code", "says"),
    [
        ("00" * 79, 2, "158 hex digits, want 160"),
        ("zz" * 80, 2, "is not hex"),
        (REGTEST_HEX.replace("ffff7f20", "00000020"), 1, "target is zero"),
        (REGTEST_HEX.replace("ffff7f20", "ffffff20"), 1, "sign bit"),
    ],
)
def test_what_cannot_be_solved_is_said(
    header_hex: str, code: int, says: str, tmp_path: Path
) -> None:
    done = grind(header_hex, home=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
