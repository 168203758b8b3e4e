"""Sensor trees: small copies of /sys and /proc, laid out from tests/vectors/sensors."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[1] / "vectors" / "sensors"


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str], Path]:
    """Lay out a tree by name; paths hold colons, so they are kept in JSON."""

    def lay(name: str) -> Path:
        root = tmp_path / name
        for path, text in json.loads((VECTORS / f"{name}.json").read_text())["files"].items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root

    return lay
