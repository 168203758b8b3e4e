"""One opened OpenCL device: builds kernels, runs launches.

Loading a driver costs 60 MB and more, so nothing here is imported before a device is opened.
"""

import atexit
import threading
import time
import warnings
import weakref
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyopencl as cl

from miner.backends import gpu_work
from miner.backends.gpu_work import (
    CAPACITY,
    COMPILE_S,
    HANG_S,
    HEAD_PAIRS,
    SLOTS,
    Slice,
    Words,
)  # fmt: skip
from miner.backends.opencl.listing import Found, facts, is_cpu, one_line
from miner.backends.opencl.work import Shape, kernel_source
from miner.devices.gpu import Sensors
from miner.errors import BackendFault, BackendUnavailable

ZERO = np.zeros(1, np.uint32)
LET_GO_S = 1.0
LOOK_S = 0.005  # a driver should tell when a launch has ended; it is asked as well, this often
LAST_LOOK_S = 0.0002  # with no other launch queued the device idles until we know


def default_shape(device: Any) -> Shape:
    """What to use before tuning: vectors for CPUs, one lane an item for GPUs."""
    vector = 1
    if is_cpu(device):
        width = device.native_vector_width_int
        vector = max(step for step in (1, 2, 4, 8, 16) if step <= max(width, 1))
    group = max(1, min(128 // vector, device.max_work_group_size))
    return Shape(group, 64 if vector > 1 else 32, vector)


def build_log(error: BaseException) -> str:
    """The first lines of the compiler's own words, without the driver's repeated preamble."""
    lines = [line.strip() for line in str(error).splitlines()]
    preamble = ("clBuildProgram failed", "Build on <", "(options:", "(source saved")
    words = [line for line in lines if line and not line.startswith(preamble)]
    return one_line(RuntimeError(" / ".join(words[:4] or lines[:1])))


class Callback:
    """Called by a thread of pyopencl's, which then wants the interpreter once more to let go of
    this object. An interpreter that is ending gives it to no thread and the process aborts, so the
    end waits until all are let go of."""

    __slots__ = ("__weakref__", "_ended")
    held: ClassVar[weakref.WeakSet["Callback"]] = weakref.WeakSet()

    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended
        self.held.add(self)

    def __call__(self, status: int) -> None:
        self._ended.set()


@atexit.register
def let_go() -> None:
    """A launch that hangs is not waited for."""
    until = time.monotonic() + LET_GO_S
    while Callback.held and time.monotonic() < until:
        time.sleep(0.001)


@dataclass(slots=True, eq=False)
class Launch:
    """A kernel on its way: done when its read event is."""

    part: Slice
    start: int
    count: int  # nonces
    slot: int
    head: Words  # counter, then the first candidates
    kernel_event: Any
    read_event: Any
    queued_at: float  # monotonic
    hang_s: float  # how long it may take
    ended: threading.Event  # set by the driver's thread


class Session:
    """A context on one device: queues, buffers and built kernels. One thread at a time."""

    def __init__(self, found: Found, shape: Shape, cache: Path) -> None:
        self.name, self.device, self.shape = found.name, found.device, shape
        self._cache, self._closed = cache, False
        self._kernels: dict[bool, Any] = {}
        self._arguments: dict[bool, tuple[Any, ...]] = {}  # as set on each kernel
        self._flying: list[Launch] = []  # started, not known to have ended
        self._largest: dict[bool, int] = {}  # work-groups of the largest launch that ended
        self._check_limits()
        with self.faults("cannot be opened"):
            self._context: Any = cl.Context([self.device])
            profiled = cl.command_queue_properties.PROFILING_ENABLE
            self._queues = [cl.CommandQueue(self._context, None, profiled) for _ in range(SLOTS)]
            size = 4 * (1 + 2 * CAPACITY)
            flags = cl.mem_flags.READ_WRITE
            self._found = [cl.Buffer(self._context, flags, size) for _ in range(SLOTS)]
            for queue, found_ in zip(self._queues, self._found, strict=True):
                cl.enqueue_fill_buffer(queue, found_, ZERO, 0, 4)

    def faults(self, what: str) -> AbstractContextManager[None]:
        """Turn the driver's errors, and use after closing, into ours."""
        return gpu_work.faults(self.name, self._closed, what, cl.Error, MemoryError)

    def close(self) -> None:
        """Let go of everything on the device; a launch after that is a fault."""
        self._closed = True
        self._kernels, self._queues, self._found, self._context = {}, [], [], None
        self._arguments = {}

    most_nonces = (1 << 31) - 1  # of one launch
    own_clock = True  # launches are timed by the device itself

    def sensors(self) -> Sensors | None:
        """See Backend.sensors. None for a CPU, whose sensors are not this device's."""
        return None if is_cpu(self.device) else facts(self.device).sensors()

    def _check_limits(self) -> None:
        limit, local = self.device.max_work_group_size, self.device.local_mem_size
        if self.shape.group > limit:
            raise BackendUnavailable(
                self.name, f"work-group of {self.shape.group} items is above its limit of {limit}"
            )
        if self.shape.local_bytes > local:
            raise BackendUnavailable(
                self.name, f"{self.shape.local_bytes} bytes of local memory wanted, it has {local}"
            )

    def _kernel(self, single: bool) -> Any:
        """Built at first use; binaries are cached by device and driver version."""
        if single not in self._kernels:
            options = self.shape.options(single, CAPACITY)
            program = cl.Program(self._context, kernel_source())
            with warnings.catch_warnings():  # a build log alone is no fault
                warnings.simplefilter("ignore")
                try:
                    program.build(options, cache_dir=str(self._cache / "opencl"))
                except cl.Error as error:
                    raise BackendFault(
                        self.name,
                        f"kernel build failed: {build_log(error)} (options {' '.join(options)})",
                    ) from error
            with self.faults("kernel missing"):
                name = "scan_single" if single else "scan_shared"
                self._kernels[single] = cl.Kernel(program, name)
        return self._kernels[single]

    def upload(self, words: Words) -> Any:
        """A read-only buffer of 32-bit words."""
        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
        with self.faults("out of memory"):
            return cl.Buffer(self._context, flags, hostbuf=words)

    def _set_arguments(self, single: bool, arguments: tuple[Any, ...]) -> None:
        """Those that differ from the last launch's; each costs some 10 µs."""
        before = self._arguments.get(single, (None,) * len(arguments))
        for index, (value, old) in enumerate(zip(arguments, before, strict=True)):
            if value is not old and (old is None or value != old):
                number = np.uint32(value) if isinstance(value, int) else value
                self._kernels[single].set_arg(index, number)
        self._arguments[single] = arguments

    def groups(self, part: Slice, start: int, count: int) -> tuple[int, int]:
        """Work-groups of a launch: over nonces, over versions; as the kernel's comment says."""
        shape = self.shape
        if part.single:
            return -(-count // (shape.wide * shape.nonces)), part.count
        return -(-(start % shape.nonces + count) // shape.nonces), -(-part.count // shape.wide)

    def start(
        self, slot: int, part: Slice, midstates: Any, stride: int, tail: tuple[int, ...],
        start: int, count: int, mask: int,
    ) -> Launch:  # fmt: skip
        """Queue one launch: kernel, counter and first candidates back, counter to 0 for the next.

        The device may be waiting: nothing comes before the kernel that can come after it.
        """
        kernel, queue = self._kernel(part.single), self._queues[slot]
        over_nonces, over_versions = self.groups(part, start, count)
        size = (over_nonces * self.shape.group, over_versions)
        numbers = (stride, part.count, *tail, start, count, mask, 1)
        with self.faults("launch failed"):
            self._set_arguments(part.single, (midstates, *numbers, self._found[slot]))
            ran = cl.enqueue_nd_range_kernel(queue, kernel, size, (self.shape.group, 1))
            head = np.zeros(1 + 2 * HEAD_PAIRS, np.uint32)
            read = cl.enqueue_copy(queue, head, self._found[slot], is_blocking=False)
            cl.enqueue_fill_buffer(queue, self._found[slot], ZERO, 0, 4)
            queue.flush()
            ended = threading.Event()
            complete = cl.command_execution_status.COMPLETE
            read.set_callback(complete, Callback(ended))
        known = over_nonces * over_versions <= self._largest.get(part.single, 0)
        hang_s = HANG_S if known else COMPILE_S
        launch = Launch(part, start, count, slot, head, ran, read, time.monotonic(), hang_s, ended)
        self._flying.append(launch)
        return launch

    def wait(self, launch: Launch) -> None:
        """Until it has ended. Raises BackendFault when the device failed or the launch hangs.

        The driver calls back, and no core is kept busy, as some drivers do when they are asked to
        wait. A scan's last launch is looked for besides: its callback comes some 0.3 ms late.
        """
        while not self._ended(launch):
            if launch.ended.wait(LOOK_S if len(self._flying) > 1 else LAST_LOOK_S):
                time.sleep(0)  # told, and yet not shown as complete: look again
        self._flying.remove(launch)
        groups = self.groups(launch.part, launch.start, launch.count)
        single = launch.part.single
        self._largest[single] = max(self._largest.get(single, 0), groups[0] * groups[1])

    def _ended(self, launch: Launch) -> bool:
        with self.faults("device lost"):
            status = launch.read_event.command_execution_status
        if status < 0:
            raise BackendFault(self.name, f"device lost: a launch ended with error {status}")
        if status == cl.command_execution_status.COMPLETE:
            return True
        if time.monotonic() - launch.queued_at > launch.hang_s:
            gpu_work.abandon(self._context, self._queues, self._found, self._kernels, self._flying)
            raise BackendFault(self.name, gpu_work.HANGS.format(launch.hang_s))
        return False

    def pairs(self, launch: Launch) -> Words | None:
        """Candidates as rows (index of the version in the slice, nonce); None = overflow."""
        found = int(launch.head[0])
        if found > CAPACITY:
            return None
        words = launch.head[1 : 1 + 2 * found]
        if found > HEAD_PAIRS:
            words = np.empty(1 + 2 * found, np.uint32)
            with self.faults("device lost"):
                cl.enqueue_copy(self._queues[launch.slot], words, self._found[launch.slot])
            words = words[1:]
        return words.reshape(-1, 2)

    def busy_interval(self, launch: Launch) -> tuple[int, int]:
        """When the kernel ran, in the device's nanoseconds."""
        with self.faults("no profile"):
            profile = launch.kernel_event.profile
            return profile.start, profile.end
