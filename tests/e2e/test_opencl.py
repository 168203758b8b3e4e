"""Two OpenCL devices mining together on the own node: the halves of one CPU, through PoCL."""

import pytest

from miner.backends import opencl
from tests.e2e.conftest import Start

pytest.importorskip("pbk", reason="no kernel wheel for this Python")

ROWS = opencl.PROVIDER.probe()
CUT = [row.name for row in ROWS if row.usable and row.name.startswith("opencl:pocl:")]
needs_pocl = pytest.mark.skipif(not CUT, reason="; ".join(row.why_not for row in ROWS) or "no PoCL")


@needs_pocl
def test_two_devices_mine_together(miner: Start) -> None:
    """Every block is accepted, and both devices hashed."""
    parts = [f"{CUT[0]}.{part}of2" for part in (0, 1)]
    chosen = [word for part in parts for word in ("--backend", part)]
    command = miner("mine", "--blocks", "10", "--block-interval", "0.1", "--json", *chosen)
    assert command.end(180.0) == 0
    last = command.objects("status")[-1]
    assert (last["blocks_accepted"], last["rejected"]) == (10, 0)
    hashes = {row["name"]: row["hashes"] for row in last["backends"]}
    assert set(hashes) == set(parts)
    assert all(count > 0 for count in hashes.values())


@needs_pocl
def test_an_unknown_device_is_one_line_and_exit_3(miner: Start) -> None:
    command = miner("mine", "--backend", "opencl:nosuch:7")
    assert command.end() == 3
    assert f"opencl:nosuch:7 cannot be used: no such device; there is {CUT[0]}" in command.err[-1]


def test_no_driver_is_one_line_and_exit_3(miner: Start) -> None:
    nowhere = {"OCL_ICD_VENDORS": "/nonexistent", "OPENCL_VENDOR_PATH": "/nonexistent"}
    command = miner("mine", "--backend", "opencl", **nowhere)
    assert command.end() == 3
    assert "no OpenCL platform found; install your GPU's driver" in command.err[-1]
