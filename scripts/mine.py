"""Set homehash up in .venv and mine: `python3 scripts/mine.py [options of miner mine]`."""

import sys

import require_python  # noqa: F401  ends here when this Python is too old

# isort: split
import bootstrap

if __name__ == "__main__":
    bootstrap.prepare(extras=("plots", "sv2", "wgpu", "web"))
    bootstrap.become("miner", ["mine", *sys.argv[1:]])
