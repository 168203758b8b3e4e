"""Clock, temperature, throttle and steal counters of a Linux machine; None where there are none.

`root` stands for "/": it holds sys/ and proc/.
"""

from dataclasses import dataclass
from pathlib import Path

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


def clock(root: Path) -> float | None:
    """Mean current clock of all CPUs, MHz."""
    policy = root / "sys/devices/system/cpu/cpufreq"
    khz = [_int(path) for path in policy.glob("policy*/scaling_cur_freq")]
    known = [value for value in khz if value]
    if known:
        return sum(known) / len(known) / 1e3
    mhz = [
        float(line.partition(":")[2])
        for line in _text(root / "proc/cpuinfo").splitlines()
        if line.startswith("cpu MHz")
    ]
    return sum(mhz) / len(mhz) if mhz else None


def temperature(root: Path) -> float | None:
    """Hottest processor sensor, degrees Celsius."""
    found = []
    for chip in (root / "sys/class/hwmon").glob("hwmon*"):
        if _text(chip / "name") in CPU_CHIPS:
            found += [_int(path) for path in chip.glob("temp*_input")]
    if not found:
        for zone in (root / "sys/class/thermal").glob("thermal_zone*"):
            if _text(zone / "type") in CPU_ZONES:
                found.append(_int(zone / "temp"))
    known = [value for value in found if value is not None]
    return max(known) / 1e3 if known else None


def throttles(root: Path) -> int | None:
    """Core and package thermal throttle events since boot."""
    counts = [
        _int(path)
        for path in (root / "sys/devices/system/cpu").glob(
            "cpu[0-9]*/thermal_throttle/*_throttle_count"
        )
    ]
    known = [value for value in counts if value is not None]
    return sum(known) if known else None


def steal(root: Path) -> float | None:
    """Seconds of stolen time, first line of /proc/stat, eighth figure."""
    cells = _text(root / "proc/stat").partition("\n")[0].split()
    return int(cells[8]) * TICK_S if len(cells) > 8 and cells[0] == "cpu" else None


def quota_stops(root: Path) -> int | None:
    """nr_throttled of the control group, version 2 or 1."""
    for name in ("sys/fs/cgroup/cpu.stat", "sys/fs/cgroup/cpu/cpu.stat"):
        for line in _text(root / name).splitlines():
            if line.startswith("nr_throttled "):
                return int(line.split()[1])
    return None


def quota(root: Path) -> float | None:
    """CPUs the control group allows, None when unlimited or unknown."""
    cells = _text(root / "sys/fs/cgroup/cpu.max").split()
    if len(cells) == 2 and cells[0] != "max":
        return int(cells[0]) / int(cells[1])
    period = _int(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us")
    allowed = _int(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    return allowed / period if period and allowed and allowed > 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _int(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
