"""The unrolled SHA-256 that browsers get is what its script writes, with the standard's numbers."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "make_hash.py"
FILE = ROOT / "miner" / "pool" / "static" / "hash.js"


def test_it_is_current() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], check=False)
    assert done.returncode == 0, "run scripts/make_hash.py"


def test_its_constants_are_those_of_the_c_library() -> None:
    told = FILE.read_text(encoding="utf-8")
    c = (ROOT / "csrc" / "sha256_scalar.h").read_text(encoding="utf-8")
    for name in ("K", "INIT"):
        ours = re.search(rf"homehash\.{name} = Int32Array\.of\((.*?)\)", told, re.DOTALL)
        theirs = re.search(rf"SHA256_{name}\[\d+\] = \{{(.*?)\}}", c, re.DOTALL)
        assert ours is not None and theirs is not None
        words = [int(one) % 2**32 for one in re.findall(r"-?\d+", ours[1])]
        assert words == [int(one, 16) for one in re.findall(r"0x[0-9a-f]+", theirs[1])]
