"""One opened WebGPU device: builds the kernels, runs launches."""

import struct
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import wgpu

from miner.backends import gpu_work, kernel_file
from miner.backends.base import Kind
from miner.backends.gpu_work import CAPACITY, SLOTS, Slice, Words
from miner.backends.wgpu.drivers import FAMILY, KERNEL
from miner.backends.wgpu.listing import Found, facts
from miner.devices.gpu import Sensors

MOST_GROUPS = 65535  # of a dispatch in one dimension, on every device
MOST_NONCES = 64  # as in the kernel: its workgroup memory
TASK_BYTES = 32
FOUND_BYTES = 8 + 8 * CAPACITY
BINDINGS = ("uniform", "read-only-storage", "storage")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the kernels are built: the constants at their top."""

    group: int  # invocations of a workgroup
    nonces: int  # a power of two <= 64

    def __post_init__(self) -> None:
        if any(type(number) is not int for number in (self.group, self.nonces)):
            raise ValueError(f"shape {self.group}, {self.nonces} is not two whole numbers")
        if self.nonces not in (1, 2, 4, 8, 16, 32, MOST_NONCES):
            raise ValueError(f"nonces {self.nonces} is not a power of two <= {MOST_NONCES}")
        if not 1 <= self.group <= 256:
            raise ValueError(f"group {self.group} is not in 1 .. 256, which every device allows")

    @property
    def wide(self) -> int:
        """Versions a workgroup of scan_shared holds."""
        return self.group


@dataclass(slots=True, eq=False)
class Launch:
    """A kernel on its way: done when its candidates can be read."""

    part: Slice
    start: int
    count: int  # nonces
    slot: int
    readable: Any  # a promise
    queued_ns: int
    ended_ns: int = 0


class Slot:
    """The buffers of one launch."""

    def __init__(self, device: Any) -> None:
        use = wgpu.BufferUsage
        self.task = device.create_buffer(size=TASK_BYTES, usage=use.UNIFORM | use.COPY_DST)
        self.found = device.create_buffer(
            size=FOUND_BYTES, usage=use.STORAGE | use.COPY_SRC | use.COPY_DST
        )
        self.read = device.create_buffer(size=FOUND_BYTES, usage=use.MAP_READ | use.COPY_DST)


class Session:
    """A device with its buffers and kernels. One thread at a time.

    A launch that never ends is the engine's to notice: a hung worker is replaced.
    """

    def __init__(self, found: Found, shape: Shape) -> None:
        self.name, self.shape, self._found = found.name, shape, found
        self._closed = False
        with self.faults("cannot be opened"):
            self._device: Any = found.adapter.request_device_sync()
            source = kernel_file.read(FAMILY, KERNEL)
            self._module: Any = self._device.create_shader_module(code=source)
            entries = [
                {"binding": at, "visibility": wgpu.ShaderStage.COMPUTE, "buffer": {"type": kind}}
                for at, kind in enumerate(BINDINGS)
            ]
            self._layout: Any = self._device.create_bind_group_layout(entries=entries)
            self._slots = [Slot(self._device) for _ in range(SLOTS)]
        self._pipelines: dict[bool, Any] = {}

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
        return -(-(start % shape.nonces + count) // shape.nonces), -(-part.count // shape.group)

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
            buffers = (at.task, midstates, at.found)
            entries = [
                {"binding": index, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
                for index, buffer in enumerate(buffers)
            ]
            group = device.create_bind_group(layout=self._layout, entries=entries)
            encoder = device.create_command_encoder()
            encoder.clear_buffer(at.found, 0, 8)
            kernel = encoder.begin_compute_pass()
            kernel.set_pipeline(pipeline)
            kernel.set_bind_group(0, group)
            kernel.dispatch_workgroups(*self._groups(part, start, count), 1)
            kernel.end()
            encoder.copy_buffer_to_buffer(at.found, 0, at.read, 0, FOUND_BYTES)
            device.queue.submit([encoder.finish()])
            readable = at.read.map_async(wgpu.MapMode.READ)
        return Launch(part, start, count, slot, readable, time.monotonic_ns())

    def wait(self, launch: Launch) -> None:
        """Until it has ended. Raises BackendFault when the device failed."""
        with self.faults("device lost"):
            launch.readable.sync_wait()
        launch.ended_ns = time.monotonic_ns()

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
        """When it was queued and when its end was seen, by our clock: the device has no other."""
        return launch.queued_ns, launch.ended_ns
