"""What the tests of the OpenCL backend share: this machine's devices, questions, odd shapes."""

from pathlib import Path
from typing import Any

import pytest

from miner.backends import opencl
from miner.backends.opencl.work import Shape
from miner.backends.selftest import GENESIS, Question

DEVICES = [row for row in opencl.PROVIDER.probe() if row.usable]
WHY_NOT = "; ".join(row.why_not for row in opencl.PROVIDER.probe())
needs_device = pytest.mark.skipif(not DEVICES, reason=f"opencl: {WHY_NOT}")


def question(versions: int, target: int, start: int, count: int) -> Question:
    return Question(
        GENESIS[:76], tuple(1 + (step << 13) for step in range(versions)), target, start, count
    )


def open_with(shape: Shape, cache: Path) -> Any:
    from miner.backends.opencl import listing as opencl_listing
    from miner.backends.opencl import tune as opencl_tune

    return opencl_tune.open_with(opencl_listing.find(DEVICES[0].name), shape, cache)
