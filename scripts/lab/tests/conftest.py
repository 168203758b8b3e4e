"""Tests of the lab's own arithmetic, beside it: tests/ imports no script."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: scripts/test.py is no library
