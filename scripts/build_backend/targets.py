"""What a library is built for: processor, system, and their names elsewhere."""

import platform
import struct
import sysconfig
from dataclasses import dataclass

LIBRARY = {"windows": "_native.dll", "macos": "_native.dylib"}  # elsewhere _native.so
SYSTEMS = {"Windows": "windows", "Darwin": "macos", "Linux": "linux"}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "armv7l": "armv7", "armv8l": "armv7"}
POINTER_BITS = 8 * struct.calcsize("P")
OLDEST_MACOS = {"aarch64": "11.0", "x86_64": "10.15"}  # the compiler wheel builds for these


@dataclass(frozen=True, slots=True)
class Target:
    """One processor and system."""

    machine: str  # "x86_64", "aarch64", "armv7", ...: as csrc/build.toml names them
    system: str  # "linux", "windows", "macos", or another in small letters
    libc: str = ""  # "gnu" or "musl" on Linux
    libc_version: str = ""  # the oldest glibc, or the musl, it shall run on

    @property
    def file(self) -> str:
        """The library's name."""
        return LIBRARY.get(self.system, "_native.so")

    @property
    def zig(self) -> str:
        """What the compiler wheel's -target wants."""
        if self.system == "windows":
            return f"{'x86' if self.machine == 'i686' else self.machine}-windows-gnu"
        if self.system == "freestanding":
            return f"{self.machine}-freestanding"
        if self.system == "macos":
            return f"{self.machine}-macos.{OLDEST_MACOS[self.machine]}"
        hard_float = "eabihf" if self.machine == "armv7" else ""
        machine = {"armv7": "arm", "i686": "x86"}.get(self.machine, self.machine)
        version = f".{self.libc_version}" if self.libc == "gnu" else ""
        return f"{machine}-linux-{self.libc}{hard_float}{version}"


def here() -> Target:
    """What this Python runs on."""
    system = SYSTEMS.get(platform.system(), platform.system().lower())
    machine = platform.machine().lower()
    machine = MACHINES.get(machine, machine)
    if POINTER_BITS == 32:  # such a Python on a 64-bit system
        machine = {"x86_64": "i686", "i386": "i686", "aarch64": "armv7"}.get(machine, machine)
    if system != "linux":
        return Target(machine, system)
    glibc = platform.libc_ver()[0] == "glibc"
    oldest = {"riscv64": "2.27"}.get(machine, "2.17")
    return Target(machine, system, "gnu" if glibc else "musl", oldest if glibc else "")


def platform_tag() -> str:
    """The wheel tag of what is built here for here, as installers of this machine take it."""
    target = here()
    if target.system == "macos":
        release = platform.mac_ver()[0].split(".")
        major, minor = release[0], release[1] if release[0] == "10" else "0"
        return (
            f"macosx_{major}_{minor}_{'arm64' if target.machine == 'aarch64' else target.machine}"
        )
    if target.system == "linux" and target.machine == "i686":
        return "linux_i686"
    if target.system == "linux" and target.machine == "armv7":
        return "linux_armv7l"
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
