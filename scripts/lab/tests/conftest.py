"""Tests of the lab's own arithmetic, beside it: tests/ imports no script."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Last: scripts/test.py is no library, and `miner` is the installed one.
sys.path += [str(ROOT / "scripts"), str(ROOT)]
