"""Which OpenCL devices there are, asked in a helper process that ends.

A driver costs 60 MB and more, and may crash: then the good ones are told from it, one by one.
"""

import atexit
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache as remember
from pathlib import Path
from typing import Any

from miner.backends import child
from miner.backends.base import Candidate, Kind
from miner.errors import BackendUnavailable

FAMILY = "opencl"
KERNEL = "sha256d_scan.cl"
NOT_INSTALLED = (
    "pyopencl cannot be imported: {}; install homehash again with its dependencies (for Windows on "
    "ARM there is none: use wgpu)"
)
VENDORS = "OCL_ICD_VENDORS"  # the loader's variable: where drivers are registered


@dataclass(frozen=True, slots=True)
class Probed:
    """What the helper process told, and how it died, if it did."""

    rows: tuple[Candidate, ...]
    crash: str = ""  # then no driver is let in


@remember
def probe() -> Probed:
    """Ask the helper process once; every fault becomes a row.

    When it dies, each driver is asked by itself, and this process goes on with the good ones.
    """
    probed = _listed()
    if "No module named 'pyopencl'" in probed.crash:
        why = NOT_INSTALLED.format("No module named 'pyopencl'")
        return Probed((_broken(why),), why)
    return (_without_bad(probed) or probed) if probed.crash else probed


def _listed(vendors: Path | None = None) -> Probed:
    """What the helper lists, with the drivers registered at `vendors` alone."""
    told = child.ask("miner.backends.opencl.listing", {VENDORS: str(vendors)} if vendors else None)
    rows = [_row(row) for row in told.rows]
    if not (told.failed or told.signal):
        return Probed(tuple(rows))
    crash = f"listing devices failed, so no driver is loaded: {told.failed}"
    if told.signal:
        crash = f"a driver crashed with signal {told.signal} while devices were listed; " + (
            "remove it from the system's OpenCL vendors"
        )
    lost = (replace(row, usable=False, why_not=crash) for row in rows)
    return Probed((*lost, _broken(crash)), crash)


def _without_bad(all_together: Probed) -> Probed | None:
    """Leave out the drivers that fail by themselves; None when that is not how to mend it.

    The loader reads the folder named by OCL_ICD_VENDORS instead of the system's: ocl-icd, which is
    in pyopencl's wheels, and Khronos' loader do on Linux. It is set for this process too.
    """
    files = _icd_files()
    with ThreadPoolExecutor(max(1, len(files))) as pool:
        alone = dict(zip(files, pool.map(_listed, files), strict=True))
    good = [file for file, probed in alone.items() if not probed.crash]
    if not good or len(good) == len(files):
        return None
    folder = Path(tempfile.mkdtemp(prefix="homehash-opencl-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for file in good:
        shutil.copyfile(file, folder / file.name)
    again = _listed(folder)
    if again.crash:
        return None
    os.environ[VENDORS] = str(folder)
    bad = [
        _broken(f"the driver of {file} is not loaded: {_how(probed.crash)}; remove that file")
        for file, probed in alone.items()
        if probed.crash
    ]
    return Probed((*again.rows, *bad))


def _how(crash: str) -> str:
    """The cause alone: the advice for many drivers is left out."""
    return crash.partition(";")[0].replace(", so no driver is loaded", "")


def _icd_files() -> list[Path]:
    """The files that register drivers, where the loader looks for them."""
    asked = os.environ.get(VENDORS) or os.environ.get("OPENCL_VENDOR_PATH")
    try:
        return sorted(Path(asked or "/etc/OpenCL/vendors").glob("*.icd"))
    except OSError:
        return []


def check_drivers(name: str) -> None:
    """Call before any driver is loaded into this process. Raises BackendUnavailable when the good
    ones cannot be told from one that crashes."""
    if crash := probe().crash:
        raise BackendUnavailable(name, crash)


def _row(row: dict[str, Any]) -> Candidate:
    if "problem" in row:
        return _broken(str(row["problem"]))
    return Candidate(
        str(row["name"]), Kind(row["kind"]), bool(row["usable"]), str(row["why_not"]),
        rank=0 if row["rank"] == 0 else None, detail=str(row["detail"]), card=str(row["card"]),
        bus=str(row["bus"]),
    )  # fmt: skip


def _broken(why: str) -> Candidate:
    return Candidate(FAMILY, Kind.GPU, usable=False, why_not=why)
