"""Run pytest with the C library of a folder: `pytest_with_library.py FOLDER ARGS...`."""

import sys
from pathlib import Path

import pytest

from miner.backends import native
from miner.backends.native import library

native.LIBRARY = library.load(Path(sys.argv[1]))
sys.exit(pytest.main(sys.argv[2:]))
