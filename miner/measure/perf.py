"""Cycles and instructions of the calling thread, by Linux's perf_event_open(2).

What a clock reading guesses this counts: cycles over CPU time is the clock the thread really had.
Closed in many containers and virtual machines; then `why_not` says so, once.
"""

import ctypes
import errno
import fcntl
import os
import platform
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass

SYSCALL = {"x86_64": 298, "aarch64": 241, "riscv64": 241}
HARDWARE, CYCLES, INSTRUCTIONS = 0, 0, 1  # PERF_TYPE_HARDWARE and its first two counters
SOFTWARE, TASK_CLOCK = 1, 1  # nanoseconds on a CPU; works where hardware counters are closed
EXCLUDE_KERNEL_HV = 1 << 5 | 1 << 6  # allowed at perf_event_paranoid 2, the usual setting
TIMES = 1 | 2  # read total time enabled and running: counters may take turns
IOC_RESET, IOC_ENABLE = 0x2403, 0x2400
ATTR_SIZE = 64  # PERF_ATTR_SIZE_VER0


@dataclass(frozen=True, slots=True)
class Counts:
    cycles: int
    instructions: int


class Counter:
    """One counter of the thread that makes it. Raises OSError where the kernel refuses."""

    _fd: int

    def __init__(self, kind: int, config: int) -> None:
        number = SYSCALL.get(platform.machine())
        if number is None or not sys.platform.startswith("linux"):
            raise OSError("perf_event_open is Linux's")
        attr = struct.pack(
            "<IIQQQQQ", kind, ATTR_SIZE, config, 0, 0, TIMES, EXCLUDE_KERNEL_HV
        ).ljust(ATTR_SIZE, b"\0")
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.syscall(number, attr, 0, -1, -1, 0)
        if self._fd < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        fcntl.ioctl(self._fd, IOC_RESET, 0)
        fcntl.ioctl(self._fd, IOC_ENABLE, 0)

    def read(self) -> int:
        """Events so far, scaled up where the counter had to take turns with others."""
        value, enabled, running = struct.unpack("<QQQ", os.read(self._fd, 24))
        return round(value * enabled / running) if running else 0

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._fd)


class ThreadCounters:
    """Cycles and instructions of the thread that makes it; nothing where they are closed."""

    def __init__(self) -> None:
        self._open: list[Counter] = []
        try:
            for config in (CYCLES, INSTRUCTIONS):
                self._open.append(Counter(HARDWARE, config))
        except OSError:
            self.close()

    def read(self) -> Counts | None:
        return Counts(*(counter.read() for counter in self._open)) if self._open else None

    def close(self) -> None:
        for counter in self._open:
            counter.close()
        self._open = []


def why_not() -> str:
    """Why cycles cannot be counted here, or ""."""
    try:
        Counter(HARDWARE, CYCLES).close()
    except OSError as error:
        absent = error.errno == errno.ENOENT
        reason = "this machine offers no counter" if absent else error.strerror or str(error)
        return f"cycles cannot be counted here: {reason}"
    return ""


def between(before: Counts | None, after: Counts | None) -> Counts | None:
    """What was counted from one reading to the next."""
    if before is None or after is None:
        return None
    return Counts(after.cycles - before.cycles, after.instructions - before.instructions)


def total(counts: list[Counts]) -> Counts | None:
    """The sum over threads; None without any."""
    if not counts:
        return None
    return Counts(sum(one.cycles for one in counts), sum(one.instructions for one in counts))
