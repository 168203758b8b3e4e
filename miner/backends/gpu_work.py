"""What the kernels of a GPU are given, made on the host: midstates, slices of versions, a mask.

The same for OpenCL and WebGPU. Knows no driver.
"""

import ctypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from miner.backends import native
from miner.backends.numpy import expand, run_rounds
from miner.bitcoin.sha256 import INITIAL_STATE
from miner.errors import BackendFault, MinerError
from miner.text import scrub

CAPACITY = 4096  # candidates a launch can store: four times what a launch is sized to expect
HEAD_PAIRS = 64  # candidates fetched with the counter, without a second transfer
SLOTS = 2  # launches queued at a time, each slot with its own buffers
HANG_S = 10.0  # a launch of about 12 ms that has not ended by then never will
COMPILE_S = 120.0  # but the first of its kind may wait for a driver that compiles at launch
HANGS = "hangs: a launch has not ended after {:g} s"
Words = npt.NDArray[np.uint32]

SINGLE_COST = 1.2  # instructions a hash of scan_single over scan_shared, on every compiler we count
SINGLE_WINS = 0.95  # below this it is used for every version: less may be chance on a busy computer
SLICE_VERSIONS = 1024  # versions of one launch at most: even one nonce's hits then fit the buffer


@dataclass(frozen=True, slots=True)
class Slice:
    """Versions first .. first + count - 1 of a unit, scanned by one launch."""

    first: int
    count: int
    single: bool  # by scan_single, each version with its own schedule


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

    The device waits for it at a job switch: 128 versions take 0.1 ms in C, 2 ms by numpy
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


@contextmanager
def faults(name: str, closed: bool, what: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn a driver's errors, and use after closing, into BackendFault; ours stay as they are."""
    if closed:
        raise BackendFault(name, "it was closed")
    try:
        yield
    except MinerError:
        raise
    except kinds as error:
        words = scrub(str(error), 300) or type(error).__name__
        raise BackendFault(name, f"{what}: {words}") from error


def abandon(*things: object) -> None:
    """Never release these: letting go of a device that hangs would wait for it for ever, also when
    the process ends."""
    for thing in things:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


assert SLICE_VERSIONS <= CAPACITY and HEAD_PAIRS <= CAPACITY
