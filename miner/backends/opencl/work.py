"""What the OpenCL kernels are given, made on the host: midstates, slices of versions, shapes.

Knows no driver, so it is imported without one.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from miner.backends import kernel_file, native
from miner.backends.numpy import expand, run_rounds
from miner.backends.opencl.drivers import FAMILY, KERNEL
from miner.bitcoin.sha256 import INITIAL_STATE

Words = npt.NDArray[np.uint32]

SINGLE_COST = 1.2  # instructions a hash of scan_single over scan_shared, on every compiler we count
SINGLE_WINS = 0.95  # below this it is used for every version: less may be chance on a busy computer
SLICE_VERSIONS = 1024  # versions of one launch at most: even one nonce's hits then fit the buffer


@dataclass(frozen=True, slots=True)
class Shape:
    """How a kernel is built: work-group items, nonces of a group, lanes of an item, and how many
    hashes a lane of scan_shared does side by side."""

    group: int
    nonces: int  # a power of two <= 256
    vector: int  # 1, 2, 4, 8 or 16
    spread: bool = False  # sums by multiply-add: NVIDIA's other pipe
    unroll: int = 1  # 1 or 2

    def __post_init__(self) -> None:
        numbers = (self.group, self.nonces, self.vector, self.unroll)
        if any(type(number) is not int for number in numbers) or type(self.spread) is not bool:
            raise ValueError(f"shape {numbers}, {self.spread} is not four whole numbers and a flag")
        if self.nonces not in (1, 2, 4, 8, 16, 32, 64, 128, 256) or self.nonces < self.vector:
            raise ValueError(f"nonces {self.nonces} is not a power of two in vector .. 256")
        if self.vector not in (1, 2, 4, 8, 16) or self.group < 1:
            raise ValueError(f"group {self.group} or vector {self.vector} cannot be built")
        if self.unroll not in (1, 2) or self.unroll > self.nonces:
            raise ValueError(f"unroll {self.unroll} is not 1 or 2, or above nonces {self.nonces}")

    @property
    def wide(self) -> int:
        """Versions a work-group of scan_shared holds."""
        return self.group * self.vector

    @property
    def local_bytes(self) -> int:
        """Local memory of scan_shared; see KW_SIZE in the kernel."""
        return self.nonces * 4 * (52 if self.vector == 1 else 48)

    def options(self, single: bool, capacity: int) -> list[str]:
        """Build options; `capacity` is the candidates a buffer holds."""
        sizes = {"GROUP": self.group, "NONCES": self.nonces, "VECTOR": self.vector}
        sizes["UNROLL"] = self.unroll
        options = [f"-D{name}={value}" for name, value in sizes.items()]
        flags = ["-DSINGLE"] * single + ["-DSPREAD"] * self.spread
        return ["-cl-std=CL1.2", *options, f"-DCAPACITY={capacity}", *flags]


@dataclass(frozen=True, slots=True)
class Slice:
    """Versions first .. first + count - 1 of a unit, scanned by one launch."""

    first: int
    count: int
    single: bool  # by scan_single, each version with its own schedule


def kernel_source() -> str:
    """The kernel's text. Raises BackendUnavailable where there is none."""
    return kernel_file.read(FAMILY, KERNEL)


def slices(versions: int, wide: int, single_cost: float = SINGLE_COST) -> list[Slice]:
    """Cut a unit's versions so that each hash takes the cheaper kernel: padding never costs more
    than separate schedules do, and where these are cheaper, nothing is shared."""
    rest = versions % wide
    together = versions if rest * single_cost >= wide else versions - rest
    if single_cost < SINGLE_WINS:
        together = 0
    limit = max(wide, SLICE_VERSIONS // wide * wide)
    cuts = [(at, min(at + limit, together), False) for at in range(0, together, limit)]
    cuts += [
        (at, min(at + SLICE_VERSIONS, versions), True)
        for at in range(together, versions, SLICE_VERSIONS)
    ]
    return [Slice(first, end - first, single) for first, end, single in cuts]


def midstates(prefix: bytes, versions: tuple[int, ...]) -> Words:
    """State after chunk 1, word by word: shape (8, versions).

    The device waits for it at a job switch: 128 versions take 0.1 ms by the C module, 2 ms by numpy
    with a lane a version, 20 ms one by one.
    """
    in_c = native.midstates(prefix[:64], versions)
    if in_c is not None:
        return np.frombuffer(in_c, np.uint32).reshape(-1, 8).T
    first = np.array(versions, np.uint32).byteswap()
    schedule = expand([first, *struct.unpack(">15I", prefix[4:64])], 64)
    registers = [np.empty(len(versions), np.uint32) for _ in range(8)]
    scratch = [np.empty(len(versions), np.uint32) for _ in range(4)]
    state = run_rounds(INITIAL_STATE, schedule, 64, registers, scratch)
    return np.stack([word + np.uint32(h) for word, h in zip(state, INITIAL_STATE, strict=True)])


def padded(words: Words, multiple: int) -> Words:
    """The same with whole multiples of columns; what pads is hashed and never reported."""
    missing = -words.shape[1] % multiple
    return np.ascontiguousarray(np.pad(words, ((0, 0), (0, missing))))


def zero_bits(target: int) -> int:
    """Mask of the last state word's bits that are zero in every hash that meets the target.

    The hash is compared as a little-endian number, so its highest word is the state word with
    bytes swapped. The mask only discards: a hash that passes may still be above the target.
    """
    free = (1 << (target >> 224).bit_length()) - 1
    return int.from_bytes((0xFFFFFFFF ^ free).to_bytes(4, "little"), "big")
