"""Set homehash up in .venv and run its tests: `python3 scripts/test.py [pytest options]`."""

import os
import sys

import require_python  # noqa: F401  ends here when this Python is too old

# isort: split
import bootstrap

UNWANTED = ("fuzz", "gpu")  # for long campaigns and for NVIDIA cards; no test depends on them

if __name__ == "__main__":
    extras = tuple(name for name in bootstrap.extras() if name not in UNWANTED)
    bootstrap.prepare(extras, needed=("test",))
    os.chdir(bootstrap.ROOT)
    os.environ.pop("PYTHONPATH", None)  # the installed package is tested, not the tree
    os.environ["MINER_TEST_INSTALLED"] = "1"  # tests/test_packaging.py asserts it
    bootstrap.become("pytest", sys.argv[1:])
