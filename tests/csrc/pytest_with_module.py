"""Run pytest with a given build of the native module: `pytest_with_module.py MODULE ARGS...`."""

import importlib.util
import sys

import pytest

spec = importlib.util.spec_from_file_location("miner._native", sys.argv[1])
assert spec is not None
assert spec.loader is not None
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.modules["miner._native"] = module
sys.exit(pytest.main(sys.argv[2:]))
