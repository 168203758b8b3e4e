"""What the machine and the software were when a result was measured. No user or host name."""

import hashlib
import os
import platform
import re
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from miner import __version__
from miner.backends import native
from miner.devices import cpu, sysfs

FLAGS = ("sha_ni", "avx512f", "avx2", "avx", "sse4_1", "sse2", "sha2", "asimd", "neon", "aes")
LIBRARIES = ("numpy", "cffi", "pyopencl", "click", "rich", "psutil")
LOADED = 0.3  # of a thread each: programs enough to be noticed
COMPARED = (
    "cpu",
    "cpu_id",
    "microcode",
    "governor",
    "turbo",
    "kernel",
    "python",
    "compiler",
    "native_sha256",
    "compiler_flags",
    "code_sha256",
    "libraries",
)

GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


def collect(root: Path = Path("/")) -> dict[str, Any]:
    """The environment block; an unknown value is None, never a guess."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cpu": cpu.name(root),
        "cpu_id": cpu.numbers(root),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "usable_threads": cpu.usable_threads(root),
        "flags": [flag for flag in FLAGS if flag in cpu.flags(root)],
        "microcode": cpu.info(root).get("microcode"),
        "governor": sysfs.text(root / GOVERNOR) or None,
        "turbo": turbo(root),
        "clock_mhz": cpu.clock(root),
        "ram_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "os": os_name(root),
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "virtual": virtual(root),
        "cpu_quota": cpu.quota(root),
        "mains": mains(root),
        "load_1min": round(load, 2) if load is not None else None,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": native.compiler(),
        "native_sha256": native_hash(),
        "compiler_flags": native.compiler_flags(),
        "code_sha256": code_hash(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "homehash": __version__,
        "commit": commit(),
    }


def turbo(root: Path) -> bool | None:
    """Is boost allowed? Intel's file says no_turbo, the generic one boost."""
    no_turbo = sysfs.text(root / "sys/devices/system/cpu/intel_pstate/no_turbo")
    boost = sysfs.text(root / "sys/devices/system/cpu/cpufreq/boost")
    if no_turbo:
        return no_turbo == "0"
    return boost == "1" if boost else None


def native_hash() -> str | None:
    """Which build of the C code ran: the start of the library's SHA-256; None without one."""
    path = native.LIBRARY.file if native.LIBRARY else None
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path else None
    except OSError:
        return None


@cache
def code_hash() -> str | None:
    """Which Python code ran, whatever its version says: the start of a SHA-256 over the names and
    contents of the package's files; None where they cannot be read."""
    package = Path(__file__).parent.parent
    total = hashlib.sha256()
    try:
        for path in sorted(package.rglob("*.py")):
            total.update(f"{path.relative_to(package).as_posix()}\0".encode() + path.read_bytes())
    except OSError:
        return None
    return total.hexdigest()[:16]


def os_name(root: Path) -> str:
    match = re.search(r'^PRETTY_NAME="?([^"\n]*)', sysfs.text(root / "etc/os-release"), re.M)
    return match[1] if match else f"{platform.system()} {platform.release()}"


def virtual(root: Path) -> str | None:
    """Container or virtual machine in a word, None when neither shows."""
    signs = []
    if "hypervisor" in cpu.flags(root):
        signs.append("virtual machine")
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        signs.append("container")
    return " in ".join(reversed(signs)) or None


def mains(root: Path) -> bool | None:
    """True on mains, False on battery, None without a battery."""
    supplies = root / "sys/class/power_supply"
    states = [sysfs.text(pack / "status") for pack in supplies.glob("BAT*")]
    return "Discharging" not in states if states else None


def commit() -> str | None:
    """Short commit of a checkout, with -dirty; None for an installed wheel."""
    here = Path(__file__).parent
    if not (here.parent.parent / ".git").exists():
        return None
    asked = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def advice(environment: dict[str, Any]) -> list[str]:
    """Sentences for a better measurement; nothing is changed unasked."""
    said = []
    if environment.get("governor") not in (None, "performance", "schedutil"):
        said.append(
            f"governor is {environment['governor']}: clocks may lag; to compare runs: "
            "sudo cpupower frequency-set -g performance"
        )
    if environment.get("mains") is False:
        said.append("on battery: clocks are often capped; plug in for speed figures")
    threads, load = environment.get("threads"), environment.get("load_1min")
    if threads and load is not None and load > LOADED * threads:
        said.append(f"load was {load:g} before the start: other programs share the CPU")
    if environment.get("virtual"):
        said.append(f"{environment['virtual']}: neighbours and hidden clocks add spread")
    return said


def compiled(environment: dict[str, Any], variant: str, shape: str) -> str:
    """Compiler and flags that made a native variant; "" where they are not known."""
    compiler, flags = environment.get("compiler"), environment.get("compiler_flags")
    if not isinstance(compiler, str) or not shape:
        return ""
    known = flags if isinstance(flags, dict) else {}
    words = [str(known[key]) for key in ("all", f"{variant}:{shape}") if key in known]
    return " ".join([compiler, *words])


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs between two environments, one phrase each."""
    keys = [*COMPARED, "os", "virtual", "cpu_quota", "mains", "homehash", "commit"]
    found = [
        f"{key}: {_beside(old.get(key), new.get(key))}"
        for key in keys
        if old.get(key) != new.get(key)
    ]
    loads, threads = (old.get("load_1min"), new.get("load_1min")), old.get("threads") or 1
    known = [one for one in loads if isinstance(one, int | float)]
    if len(known) == 2 and abs(known[0] - known[1]) > LOADED * threads:
        found.append(f"load before the start: {known[0]:g} -> {known[1]:g}")
    return found


def _beside(old: Any, new: Any) -> str:
    """Old -> new; of two lists of settings only what differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        return ", ".join(f"{key} {old.get(key)} -> {new.get(key)}" for key in changed)
    return f"{old} -> {new}"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
