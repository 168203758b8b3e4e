"""SHA-256 as FIPS 180-4 writes it, one step a line: the oracle of every backend and the lesson.

Words are unsigned 32-bit integers; a chunk is 64 bytes, a state eight words (a..h). Pass a
`Watch` to see the schedule and the state after every round; without one nothing is recorded.
"""

import struct
from typing import Protocol

State = tuple[int, int, int, int, int, int, int, int]

MASK = 0xFFFFFFFF
CHUNK_BYTES = 64
ROUNDS = 64


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _root_fraction(number: int, degree: int) -> int:
    """First 32 bits of the fractional part of the square or cube root, in integers."""
    scaled = number << 32 * degree
    low, high = 0, 1 << 32 + number.bit_length()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= scaled else (low, middle)
    return low & MASK


# FIPS 180-4, 4.2.2: cube roots of the first 64 primes; 5.3.3: square roots of the first 8.
K: tuple[int, ...] = tuple(_root_fraction(prime, 3) for prime in _primes(ROUNDS))
INITIAL_STATE: State = tuple(_root_fraction(prime, 2) for prime in _primes(8))  # type: ignore[assignment]


class Watch(Protocol):
    """Sees one compression as it happens."""

    def start(self, state: State, schedule: list[int]) -> None:
        """The state before round 0 and the 64 schedule words."""

    def round(self, index: int, t1: int, t2: int, state: State) -> None:
        """T1, T2 and a..h after round `index`."""

    def end(self, state: State) -> None:
        """The state after the final additions."""


def rotr(word: int, bits: int) -> int:
    """Rotate right within 32 bits."""
    return (word >> bits | word << 32 - bits) & MASK


def ch(x: int, y: int, z: int) -> int:
    """Choose: bits of y where x is 1, of z where x is 0."""
    return (x & y) ^ (~x & MASK & z)


def maj(x: int, y: int, z: int) -> int:
    """The majority of three bits."""
    return (x & y) ^ (x & z) ^ (y & z)


def big_sigma0(x: int) -> int:
    return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22)


def big_sigma1(x: int) -> int:
    return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25)


def small_sigma0(x: int) -> int:
    return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3)


def small_sigma1(x: int) -> int:
    return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10)


def schedule(chunk: bytes) -> list[int]:
    """The 64 words W of a 64-byte chunk (FIPS 180-4, 6.2.2 step 1)."""
    if len(chunk) != CHUNK_BYTES:
        raise ValueError(f"a chunk has 64 bytes, not {len(chunk)}")
    w = list(struct.unpack(">16I", chunk))
    for t in range(16, ROUNDS):
        s0, s1 = small_sigma0(w[t - 15]), small_sigma1(w[t - 2])
        w.append((s1 + w[t - 7] + s0 + w[t - 16]) & MASK)
    return w


def compress(state: State, chunk: bytes, watch: Watch | None = None) -> State:
    """One compression: the state after this chunk (FIPS 180-4, 6.2.2)."""
    if watch is None:
        return compress_fast(state, chunk)
    w = schedule(chunk)
    watch.start(state, w)
    a, b, c, d, e, f, g, h = state
    for t in range(ROUNDS):
        t1 = (h + big_sigma1(e) + ch(e, f, g) + K[t] + w[t]) & MASK
        t2 = (big_sigma0(a) + maj(a, b, c)) & MASK
        h, g, f, e, d, c, b, a = g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK
        watch.round(t, t1, t2, (a, b, c, d, e, f, g, h))
    final = add_states(state, (a, b, c, d, e, f, g, h))
    watch.end(final)
    return final


def compress_fast(state: State, chunk: bytes) -> State:
    """`compress` with the functions written out, for when nobody watches: some 3 times faster.

    Rotations keep the word doubled, x = word * (2**32 + 1), so that a shift alone rotates.
    """
    w = list(struct.unpack(">16I", chunk))
    for t in range(16, ROUNDS):
        x, y = w[t - 15], w[t - 2]
        dx, dy = x << 32 | x, y << 32 | y
        s0 = (dx >> 7 ^ dx >> 18) & MASK ^ x >> 3
        s1 = (dy >> 17 ^ dy >> 19) & MASK ^ y >> 10
        w.append(w[t - 16] + s0 + w[t - 7] + s1 & MASK)
    a, b, c, d, e, f, g, h = state
    for k, wt in zip(K, w, strict=True):
        de, da = e << 32 | e, a << 32 | a
        t1 = h + ((de >> 6 ^ de >> 11 ^ de >> 25) & MASK) + (g ^ e & (f ^ g)) + k + wt
        t2 = ((da >> 2 ^ da >> 13 ^ da >> 22) & MASK) + (a & b | c & (a | b))
        h, g, f, e, d, c, b, a = g, f, e, d + t1 & MASK, c, b, a, t1 + t2 & MASK
    return add_states(state, (a, b, c, d, e, f, g, h))


def add_states(before: State, after: State) -> State:
    """The final additions, word by word, modulo 2**32."""
    a, b, c, d, e, f, g, h = before
    s, t, u, v, w, x, y, z = after
    return (
        *(a + s & MASK, b + t & MASK, c + u & MASK, d + v & MASK),
        *(e + w & MASK, f + x & MASK, g + y & MASK, h + z & MASK),
    )


def padding(message_bytes: int) -> bytes:
    """What FIPS 180-4, 5.1.1 appends: a 1 bit, zeros, and the length in bits as 64-bit number."""
    zeros = (CHUNK_BYTES - 9 - message_bytes) % CHUNK_BYTES
    return b"\x80" + bytes(zeros) + struct.pack(">Q", 8 * message_bytes)


def digest(state: State) -> bytes:
    """The state as 32 bytes, big-endian words."""
    return struct.pack(">8I", *state)


def sha256(message: bytes, watch: Watch | None = None) -> bytes:
    """The hash of a message."""
    padded = message + padding(len(message))
    state = INITIAL_STATE
    for at in range(0, len(padded), CHUNK_BYTES):
        state = compress(state, padded[at : at + CHUNK_BYTES], watch)
    return digest(state)


def sha256d(message: bytes, watch: Watch | None = None) -> bytes:
    """SHA-256 of the SHA-256: what Bitcoin calls the hash of a header, 32 bytes internal order."""
    return sha256(sha256(message, watch), watch)


def midstate(prefix: bytes) -> State:
    """The state after chunk 1, the first 64 header bytes; the same for every nonce."""
    return compress(INITIAL_STATE, prefix[:CHUNK_BYTES])


HEADER_PADDING = padding(80)
DIGEST_PADDING = padding(32)


def header_hash(mid: State, tail: bytes, nonce: int) -> bytes:
    """sha256d of a header from its midstate, bytes 64..75 and nonce: 2 compressions, not 3."""
    first = compress(mid, tail + struct.pack("<I", nonce) + HEADER_PADDING)
    return digest(compress(INITIAL_STATE, digest(first) + DIGEST_PADDING))
