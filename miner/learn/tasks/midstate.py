"""A midstate: the hashes of many nonces with two compressions each."""

import hashlib
import struct
from typing import Any

from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import Header
from miner.bitcoin.sha256 import INITIAL_STATE, State, compress, digest, padding
from miner.learn.chain import FAMOUS, by_height
from miner.learn.task import Case, Fault, Task, alike, cases

Hashes = list[bytes]
UNCOUNTED = -1  # calls, where nobody counts them


def right(header: bytes, nonces: list[int]) -> Hashes:
    """By SHA-256 of the whole header."""
    return [sha256d(header[:76] + struct.pack("<I", nonce)) for nonce in nonces]


def by_parts(
    header: bytes,
    nonces: list[int],
    *,
    order: str = "<I",
    end: bytes = padding(80)[-47:],
    words: str = ">8I",
    second: State = INITIAL_STATE,
    last: bytes = padding(32),
) -> Hashes:
    """The two compressions of each nonce, with one part of them changed."""
    middle, found = compress(INITIAL_STATE, header[:64]), []
    for nonce in nonces:
        chunk = header[64:76] + struct.pack(order, nonce) + b"\x80" + end
        first = struct.pack(words, *compress(middle, chunk))
        found.append(struct.pack(words, *compress(second, first + last)))
    return found


def nonce_order(header: bytes, nonces: list[int]) -> Hashes:
    return by_parts(header, nonces, order=">I")


def chunk_length(header: bytes, nonces: list[int]) -> Hashes:
    return by_parts(header, nonces, end=bytes(39) + struct.pack(">Q", 128))


def byte_length(header: bytes, nonces: list[int]) -> Hashes:
    return by_parts(header, nonces, end=bytes(39) + struct.pack(">Q", 80))


def length_order(header: bytes, nonces: list[int]) -> Hashes:
    return by_parts(header, nonces, end=bytes(39) + struct.pack("<Q", 640))


def byte_lengths(header: bytes, nonces: list[int]) -> Hashes:
    lengths = [bytes(zeros) + struct.pack(">Q", size) for zeros, size in ((39, 80), (23, 32))]
    return by_parts(header, nonces, end=lengths[0], last=b"\x80" + lengths[1])


def length_orders(header: bytes, nonces: list[int]) -> Hashes:
    lengths = [bytes(zeros) + struct.pack("<Q", size) for zeros, size in ((39, 640), (23, 256))]
    return by_parts(header, nonces, end=lengths[0], last=b"\x80" + lengths[1])


def no_length(header: bytes, nonces: list[int]) -> Hashes:
    return by_parts(header, nonces, end=bytes(47))


def word_order(header: bytes, nonces: list[int]) -> Hashes:
    return by_parts(header, nonces, words="<8I")


def second_start(header: bytes, nonces: list[int]) -> Hashes:
    return by_parts(header, nonces, second=compress(INITIAL_STATE, header[:64]))


def once(header: bytes, nonces: list[int]) -> Hashes:
    return [hashlib.sha256(header[:76] + struct.pack("<I", nonce)).digest() for nonce in nonces]


def backwards(header: bytes, nonces: list[int]) -> Hashes:
    return [one[::-1] for one in right(header, nonces)]


def display(header: bytes, nonces: list[int]) -> list[str]:
    return [one[::-1].hex() for one in right(header, nonces)]


def same_nonce(header: bytes, nonces: list[int]) -> Hashes:
    return [sha256d(header) for _ in nonces]


def unpadded(header: bytes, nonces: list[int]) -> Hashes:
    middle = compress(INITIAL_STATE, header[:64])
    return [digest(compress(middle, header[64:76] + struct.pack("<I", one))) for one in nonces]


def fault(case: Case, answer: Any, calls: int) -> Fault | None:
    """The hashes must be right, and made with one compression and two for each nonce."""
    if not alike(answer, case.want):
        known = isinstance(answer, list) and len(answer) == len(case.want)
        wrong = [i for i, one in enumerate(case.want) if known and answer[i] != one]
        return Fault(case.want, "", str(wrong[0]) if wrong else "")
    count = len(case.given[1])
    if calls in (UNCOUNTED, 1 + 2 * count):
        return None
    hint = "uncounted" if not calls else "each" if calls == 3 * count else "count"
    return Fault({"calls": 1 + 2 * count}, hint, "calls")


def made() -> tuple[Case, ...]:
    famous, genesis = by_height(FAMOUS), by_height(0)
    return cases(
        right,
        famous=(famous, [Header.parse(famous).nonce]),
        genesis=(genesis, [Header.parse(genesis).nonce, 0]),
        five=(famous, [0, 1, 2, 2**31, 2**32 - 1]),
    )


TASK = Task(
    "hashes(header: bytes, nonces: list[int]) -> list[bytes]",
    right,
    made,
    {
        "nonce-order": nonce_order, "chunk-length": chunk_length, "byte-length": byte_length,
        "length-order": length_order, "byte-length.2": byte_lengths,
        "length-order.2": length_orders, "no-length": no_length, "word-order": word_order,
        "second-start": second_start, "once": once, "backwards": backwards, "display": display,
        "same-nonce": same_nonce, "unpadded": unpadded,
    },
    "import struct\n\nfrom miner.bitcoin.sha256 import INITIAL_STATE, compress",
    counted=True,
    fault=fault,
)  # fmt: skip
