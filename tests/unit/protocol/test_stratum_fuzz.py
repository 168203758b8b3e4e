"""A short, seeded run of scripts/fuzz_stratum.py."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "scripts" / "fuzz_stratum.py"


def test_M1_20000_mutated_lines_raise_nothing() -> None:
    spec = importlib.util.spec_from_file_location("fuzz_stratum", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    failures, _ = fuzz.run(20_000, seed=20)
    assert failures == []
