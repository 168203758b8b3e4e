"""Both kernels interpreted by Oclgrind, which sees data races and uninitialised memory.

Broken kernels show that it would: one without its barrier, one that leaves schedules unwritten.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OCLGRIND = shutil.which("oclgrind")
pytestmark = pytest.mark.skipif(
    not OCLGRIND, reason="oclgrind is not installed; Debian: apt install oclgrind"
)
# Scans a unit in ranges that start inside blocks and end inside them, and compares every hit.
SCRIPT = """
import sys
from pathlib import Path
from miner.backends import selftest
from miner.backends.opencl import device as opencl_device, listing as opencl_listing
from miner.backends.opencl import tune as opencl_tune
from miner.backends.opencl.work import Shape, kernel_source

group, nonces, vector, unroll = map(int, sys.argv[2:6])
before, after = sys.argv[6:8]
source = kernel_source()
assert before in source
opencl_device.kernel_source = lambda: source.replace(before, after, 1)
found = opencl_listing.find("opencl:oclgrind")
shape = Shape(group, nonces, vector, unroll=unroll)
backend = opencl_tune.open_with(found, shape, Path(sys.argv[1]))
for versions in map(int, sys.argv[8:]):
    for start, count in ((5, 9), (2**32 - 3, 3)):
        numbers = tuple(1 + (step << 13) for step in range(versions))
        asked = selftest.Question(selftest.GENESIS[:76], numbers, 2**254, start, count)
        got = selftest.scan_all(backend, asked)
        print(versions, got == asked.answer() and len(got.hits) > 0)
"""
# Of one version scan_single is used; 7 are padded to a work-group; 9 need both kernels.
VERSIONS = (1, 7, 9)


def interpret(
    folder: Path,
    shape: tuple[int, int, int, int],
    versions: tuple[int, ...],
    mutation: tuple[str, str] = ("", ""),
) -> tuple[str, str]:
    """What the script printed, and what Oclgrind complained of."""
    log = folder / "oclgrind.log"
    words = [*map(str, shape), *mutation, *map(str, versions)]
    assert OCLGRIND
    command = [OCLGRIND, "--data-races", "--uninitialized", "--log", str(log), sys.executable]
    done = subprocess.run(
        [*command, "-c", SCRIPT, str(folder), *words],
        capture_output=True, text=True, timeout=300, check=True,
        # Its interpreter lacks a function that the optimiser would introduce.
        env={**os.environ, "PYOPENCL_BUILD_OPTIONS": "-cl-opt-disable"},
    )  # fmt: skip
    return done.stdout, log.read_text()


@pytest.mark.parametrize(
    "shape", [(8, 4, 1, 1), (2, 4, 4, 1), (8, 4, 1, 2)], ids=["scalar", "vector", "pairs"]
)
def test_no_race_and_nothing_uninitialised(
    tmp_path: Path, shape: tuple[int, int, int, int]
) -> None:
    said, complaints = interpret(tmp_path, shape, VERSIONS)
    assert said.splitlines() == [f"{number} True" for number in VERSIONS for _ in range(2)]
    assert complaints == ""


@pytest.mark.parametrize(
    ("mutation", "complaint"),
    [
        (("    barrier(CLK_LOCAL_MEM_FENCE);", ""), "data race"),
        (("i < NONCES; i += GROUP", "i < 2; i += GROUP"), "uninitialized value"),
    ],
    ids=["no barrier", "schedules unwritten"],
)
def test_a_broken_kernel_is_seen(tmp_path: Path, mutation: tuple[str, str], complaint: str) -> None:
    assert complaint in interpret(tmp_path, (8, 4, 1, 1), (8,), mutation)[1]
