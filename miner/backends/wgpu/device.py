"""One opened WebGPU device: builds the kernels, runs launches."""

import re
import struct
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import wgpu
from wgpu.backends.wgpu_native import lib

from miner.backends import gpu_work, kernel_file
from miner.backends.base import Kind
from miner.backends.gpu_work import CAPACITY, COMPILE_S, HANG_S, SLOTS, Slice, Words
from miner.backends.wgpu.drivers import FAMILY, KERNEL
from miner.backends.wgpu.listing import Found, facts
from miner.devices.gpu import Sensors
from miner.errors import BackendFault

MOST_GROUPS = 65535  # of a dispatch in one dimension, on every device
MOST_NONCES = 64  # as in the kernel: its workgroup memory
TASK_BYTES = 32
FOUND_BYTES = 8 + 8 * CAPACITY
TIMES_BYTES = 16  # ticks of the device's clock when a launch began and when it ended
CLOCK = "timestamp-query"  # the feature of devices that have one
SIDE_BY_SIDE = re.compile(r"/\* one: \*/.*?/\* two:\n(.*?)\*/", re.DOTALL)
BINDINGS = ("uniform", "read-only-storage", "storage")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the kernels are built: the constants at their top."""

    group: int  # invocations of a workgroup
    nonces: int  # a power of two <= 64
    unroll: int = 1  # hashes an invocation does side by side: 1 or 2

    def __post_init__(self) -> None:
        numbers = (self.group, self.nonces, self.unroll)
        if any(type(number) is not int for number in numbers):
            raise ValueError(f"shape {numbers} is not three whole numbers")
        if self.unroll not in (1, 2):
            raise ValueError(f"unroll {self.unroll} is not 1 or 2")
        if self.nonces not in (1, 2, 4, 8, 16, 32, MOST_NONCES):
            raise ValueError(f"nonces {self.nonces} is not a power of two <= {MOST_NONCES}")
        if not 1 <= self.group <= 256:
            raise ValueError(f"group {self.group} is not in 1 .. 256, which every device allows")

    @property
    def wide(self) -> int:
        """Versions a workgroup of scan_shared holds."""
        return self.group * self.unroll

    def source(self, text: str) -> str:
        """The kernel's text for this shape: its lines for two hashes side by side, or for one."""
        return text if self.unroll == 1 else SIDE_BY_SIDE.sub(r"\1", text)


@dataclass(slots=True, eq=False)
class Launch:
    """A kernel on its way: done when its candidates can be read."""

    part: Slice
    start: int
    count: int  # nonces
    slot: int
    readable: Any  # a promise
    queued_s: float  # monotonic
    hang_s: float  # how long it may take
    busy_ns: tuple[int, int] = (0, 0)  # when it ran; known once it has ended


class Slot:
    """The buffers of one launch, and its two looks at the device's clock where there is one."""

    def __init__(self, device: Any, clock: bool) -> None:
        use = wgpu.BufferUsage
        self.task = device.create_buffer(size=TASK_BYTES, usage=use.UNIFORM | use.COPY_DST)
        self.found = device.create_buffer(
            size=FOUND_BYTES, usage=use.STORAGE | use.COPY_SRC | use.COPY_DST
        )
        size = FOUND_BYTES + TIMES_BYTES
        self.read = device.create_buffer(size=size, usage=use.MAP_READ | use.COPY_DST)
        self.bound: tuple[Any, Any] = (None, None)  # midstates, and the group they are bound in
        self.looks: Any = None
        if clock:
            self.looks = device.create_query_set(type=wgpu.QueryType.timestamp, count=2)
            self.times = device.create_buffer(
                size=TIMES_BYTES, usage=use.QUERY_RESOLVE | use.COPY_SRC
            )


class Session:
    """A device with its buffers and kernels. One thread at a time."""

    def __init__(self, found: Found, shape: Shape) -> None:
        self.name, self.shape, self._found = found.name, shape, found
        self._closed = False
        clock = CLOCK in found.adapter.features
        with self.faults("cannot be opened"):
            wanted = [CLOCK] if clock else []
            self._device: Any = found.adapter.request_device_sync(required_features=wanted)
            # Nanoseconds of a tick; 0: the device has no clock, and ours is taken.
            queue = self._device.queue._internal  # the binding does not offer the period itself
            self._tick_ns = float(lib.wgpuQueueGetTimestampPeriod(queue)) if clock else 0.0
            source = shape.source(kernel_file.read(FAMILY, KERNEL))
            self._module: Any = self._device.create_shader_module(code=source)
            entries = [
                {"binding": at, "visibility": wgpu.ShaderStage.COMPUTE, "buffer": {"type": kind}}
                for at, kind in enumerate(BINDINGS)
            ]
            self._layout: Any = self._device.create_bind_group_layout(entries=entries)
            self._slots = [Slot(self._device, self.own_clock) for _ in range(SLOTS)]
        self._pipelines: dict[bool, Any] = {}
        self._ran: set[bool] = set()  # pipelines of which a launch has ended

    @property
    def own_clock(self) -> bool:
        """Are launches timed by the device itself?"""
        return self._tick_ns > 0

    @property
    def most_nonces(self) -> int:
        """Of one launch: a dispatch has MOST_GROUPS blocks, the first may begin inside one."""
        return (MOST_GROUPS - 1) * self.shape.nonces

    def faults(self, what: str) -> AbstractContextManager[None]:
        """Turn the driver's errors, and use after closing, into ours."""
        return gpu_work.faults(
            self.name, self._closed, what, Exception
        )  # RuntimeError, GPUError, OSError ...

    def close(self) -> None:
        """Let go of everything on the device; a launch after that is a fault."""
        if self._closed:
            return
        self._closed = True
        self._pipelines, self._slots = {}, []
        if self._device is not None:
            self._device.destroy()

    def sensors(self) -> Sensors | None:
        """See Backend.sensors."""
        return None if self._found.kind is Kind.CPU else facts(self._found).sensors()

    def upload(self, words: Words) -> Any:
        """A read-only buffer of 32-bit words."""
        with self.faults("out of memory"):
            return self._device.create_buffer_with_data(
                data=np.ascontiguousarray(words), usage=wgpu.BufferUsage.STORAGE
            )

    def _pipeline(self, single: bool) -> Any:
        """Built at first use."""
        if single not in self._pipelines:
            constants = {
                "GROUP": self.shape.group, "NONCES": self.shape.nonces, "CAPACITY": CAPACITY,
            }  # fmt: skip
            layout = self._device.create_pipeline_layout(bind_group_layouts=[self._layout])
            with self.faults("kernel build failed"):
                self._pipelines[single] = self._device.create_compute_pipeline(
                    layout=layout,
                    compute={
                        "module": self._module,
                        "entry_point": "scan_single" if single else "scan_shared",
                        "constants": constants,
                    },
                )
        return self._pipelines[single]

    def _groups(self, part: Slice, start: int, count: int) -> tuple[int, int]:
        """Workgroups of a launch: over nonces, over versions; as the kernel's comment says."""
        shape = self.shape
        if part.single:
            return -(-count // (shape.group * shape.nonces)), part.count
        return -(-(start % shape.nonces + count) // shape.nonces), -(-part.count // shape.wide)

    def start(
        self, slot: int, part: Slice, midstates: Any, stride: int, tail: tuple[int, ...],
        start: int, count: int, mask: int,
    ) -> Launch:  # fmt: skip
        """Queue one launch: task in, counter to 0, kernel, candidates out."""
        pipeline = self._pipeline(part.single)
        with self.faults("launch failed"):
            at, device = self._slots[slot], self._device
            task = struct.pack("<8I", stride, part.count, *tail, start, count, mask)
            device.queue.write_buffer(at.task, 0, task)
            encoder = device.create_command_encoder()
            encoder.clear_buffer(at.found, 0, 8)
            looks = {
                "query_set": at.looks,
                "beginning_of_pass_write_index": 0,
                "end_of_pass_write_index": 1,
            }
            kernel = encoder.begin_compute_pass(timestamp_writes=looks if at.looks else None)
            kernel.set_pipeline(pipeline)
            kernel.set_bind_group(0, self._bound(at, midstates))
            kernel.dispatch_workgroups(*self._groups(part, start, count), 1)
            kernel.end()
            encoder.copy_buffer_to_buffer(at.found, 0, at.read, 0, FOUND_BYTES)
            if at.looks:
                encoder.resolve_query_set(at.looks, 0, 2, at.times, 0)
                encoder.copy_buffer_to_buffer(at.times, 0, at.read, FOUND_BYTES, TIMES_BYTES)
            device.queue.submit([encoder.finish()])
            readable = at.read.map_async(wgpu.MapMode.READ)
        hang_s = HANG_S if part.single in self._ran else COMPILE_S
        return Launch(part, start, count, slot, readable, time.monotonic(), hang_s)

    def _bound(self, at: Slot, midstates: Any) -> Any:
        """The buffers of a launch as a bind group: another one only for other midstates."""
        if at.bound[0] is not midstates:
            entries = [
                {"binding": index, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
                for index, buffer in enumerate((at.task, midstates, at.found))
            ]
            group = self._device.create_bind_group(layout=self._layout, entries=entries)
            at.bound = midstates, group
        return at.bound[1]

    def wait(self, launch: Launch) -> None:
        """Until it has ended. Raises BackendFault when the device failed or the launch hangs."""
        left_s = max(0.0, launch.queued_s + launch.hang_s - time.monotonic())
        # The binding waits for ever or not at all; the event behind its promise has a limit.
        if not launch.readable._thread_event.wait(left_s):
            gpu_work.abandon(self._device, self._slots, self._pipelines, launch)
            self._device = None
            raise BackendFault(self.name, gpu_work.HANGS.format(launch.hang_s))
        with self.faults("device lost"):
            launch.readable.sync_wait()
            ended_s = time.monotonic()
            launch.busy_ns = (round(launch.queued_s * 1e9), round(ended_s * 1e9))
            if self.own_clock:
                told = self._slots[launch.slot].read.read_mapped(FOUND_BYTES, TIMES_BYTES)
                begun, ended = np.frombuffer(told, np.uint64).tolist()
                launch.busy_ns = (round(begun * self._tick_ns), round(ended * self._tick_ns))
        self._ran.add(launch.part.single)

    def pairs(self, launch: Launch) -> Words | None:
        """Candidates as rows (index of the version in the slice, nonce); None = overflow."""
        with self.faults("device lost"):
            buffer = self._slots[launch.slot].read
            found = int(np.frombuffer(buffer.read_mapped(0, 8), np.uint32)[0])
            words = None
            if 0 < found <= CAPACITY:
                data = buffer.read_mapped(8, 8 * found)
                words = np.frombuffer(data, np.uint32).reshape(-1, 2).copy()
            buffer.unmap()
        return words if found else np.empty((0, 2), np.uint32)

    def busy_interval(self, launch: Launch) -> tuple[int, int]:
        """When the kernel ran, by the device's clock; without one, from queueing to our seeing its
        end."""
        return launch.busy_ns
