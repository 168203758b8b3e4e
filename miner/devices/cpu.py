"""The CPU: its model, the cores we may use, and its sensors; None where there are none.

`root` stands for "/": it holds sys/ and proc/. Clock, temperature, throttle and steal counters are
Linux's alone.
"""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from miner.devices import sysfs

ROOT = Path("/")

CPU_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")  # hwmon drivers of processors
CPU_ZONES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc-thermal")
TICK_S = 0.01  # /proc/stat counts hundredths of a second (USER_HZ)


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the machine; counters only make sense as differences."""

    clock_mhz: float | None
    temperature_c: float | None
    throttles: int | None  # thermal throttle events, all CPUs
    steal_s: float | None  # time the hypervisor gave to others, all CPUs
    quota_stops: int | None  # times the container's CPU quota stopped us

    def to_dict(self) -> dict[str, float | int | None]:
        return {name: getattr(self, name) for name in self.__slots__}


def read(root: Path) -> Reading:
    """Everything readable now; about a millisecond."""
    return Reading(clock(root), temperature(root), throttles(root), steal(root), quota_stops(root))


def info(root: Path = ROOT) -> dict[str, str]:
    """First processor of /proc/cpuinfo; empty elsewhere."""
    pairs = (line.partition(":")[::2] for line in sysfs.text(root / "proc/cpuinfo").split("\n\n")[0]
             .splitlines())  # fmt: skip
    return {key.strip(): value.strip() for key, value in pairs}


def flags(root: Path = ROOT) -> set[str]:
    """The instruction sets and signs that the system lists."""
    first = info(root)
    return set((first.get("flags") or first.get("Features") or "").split())


def name(root: Path = ROOT) -> str | None:
    """The CPU in words, None when the system does not tell."""
    first = info(root)
    return first.get("model name") or first.get("Hardware") or platform.processor() or None


def model(root: Path = ROOT) -> str:
    """The CPU in words with family, model and stepping where the system tells."""
    words = info(root).get("model name") or platform.processor() or platform.machine()
    known = numbers(root)
    return f"{words} ({known})" if known else words


def numbers(root: Path = ROOT) -> str | None:
    """Family, model and stepping, which a virtual machine's name of the CPU hides; None where the
    system does not tell."""
    first = info(root)
    if "cpu family" not in first:
        return None
    found = (first.get(key, "?") for key in ("cpu family", "model", "stepping"))
    return "family {} model {} stepping {}".format(*found)


def cores() -> int:
    """Cores this process may run on (its affinity), at least one."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_threads(root: Path = ROOT) -> int:
    """CPUs this process may use: affinity and container quota."""
    count, allowed = cores(), quota(root)
    return max(1, min(count, round(allowed)) if allowed else count)


def clock(root: Path) -> float | None:
    """Mean current clock of all CPUs, MHz."""
    policy = root / "sys/devices/system/cpu/cpufreq"
    khz = [sysfs.number(path) for path in policy.glob("policy*/scaling_cur_freq")]
    known = [value for value in khz if value]
    if known:
        return sum(known) / len(known) / 1e3
    mhz = [
        float(line.partition(":")[2])
        for line in sysfs.text(root / "proc/cpuinfo").splitlines()
        if line.startswith("cpu MHz")
    ]
    return sum(mhz) / len(mhz) if mhz else None


def clock_of(root: Path, threads: list[int]) -> float | None:
    """Mean clock, MHz, of the CPUs on which these kernel threads run at this moment."""
    found = []
    for thread in threads:
        cpu = running_on(root, thread)
        khz = sysfs.number(root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq")
        if khz:
            found.append(khz / 1e3)
    return sum(found) / len(found) if len(found) == len(threads) else None


def running_on(root: Path, thread: int) -> int | None:
    """The CPU a thread of this process last ran on: field 39 of its stat file."""
    cells = sysfs.text(root / f"proc/self/task/{thread}/stat").rpartition(")")[2].split()
    return int(cells[36]) if len(cells) > 36 else None


def temperature(root: Path) -> float | None:
    """Hottest processor sensor, degrees Celsius."""
    found = []
    for chip in (root / "sys/class/hwmon").glob("hwmon*"):
        if sysfs.text(chip / "name") in CPU_CHIPS:
            found += [sysfs.number(path) for path in chip.glob("temp*_input")]
    if not found:
        for zone in (root / "sys/class/thermal").glob("thermal_zone*"):
            if sysfs.text(zone / "type") in CPU_ZONES:
                found.append(sysfs.number(zone / "temp"))
    known = [value for value in found if value is not None]
    return max(known) / 1e3 if known else None


def throttles(root: Path) -> int | None:
    """Core and package thermal throttle events since boot."""
    counts = [
        sysfs.number(path)
        for path in (root / "sys/devices/system/cpu").glob(
            "cpu[0-9]*/thermal_throttle/*_throttle_count"
        )
    ]
    known = [value for value in counts if value is not None]
    return sum(known) if known else None


def steal(root: Path) -> float | None:
    """Seconds of stolen time, first line of /proc/stat, eighth figure."""
    cells = sysfs.text(root / "proc/stat").partition("\n")[0].split()
    return int(cells[8]) * TICK_S if len(cells) > 8 and cells[0] == "cpu" else None


def busy_s(root: Path) -> float | None:
    """Seconds that all CPUs have worked since boot: /proc/stat without idle and waiting."""
    cells = sysfs.text(root / "proc/stat").partition("\n")[0].split()
    if len(cells) < 8 or cells[0] != "cpu":
        return None
    return (sum(map(int, cells[1:8])) - int(cells[4]) - int(cells[5])) * TICK_S


def quota_stops(root: Path) -> int | None:
    """nr_throttled of the control group, version 2 or 1."""
    for name in ("sys/fs/cgroup/cpu.stat", "sys/fs/cgroup/cpu/cpu.stat"):
        for line in sysfs.text(root / name).splitlines():
            if line.startswith("nr_throttled "):
                return int(line.split()[1])
    return None


def quota(root: Path) -> float | None:
    """CPUs the control group allows, None when unlimited or unknown."""
    cells = sysfs.text(root / "sys/fs/cgroup/cpu.max").split()
    if len(cells) == 2 and cells[0] != "max":
        return int(cells[0]) / int(cells[1])
    period = sysfs.number(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us")
    allowed = sysfs.number(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    return allowed / period if period and allowed and allowed > 0 else None
