"""The readable SHA-256 against NIST's vectors, hashlib, and itself when watched."""

import hashlib
import math
import random

import pytest

from miner.bitcoin.sha256 import (
    INITIAL_STATE,
    K,
    State,
    _primes,
    _root_fraction,
    compress,
    compress_fast,
    header_hash,
    midstate,
    sha256,
    sha256d,
)  # fmt: skip

# FIPS 180-4 examples and NIST CAVP SHA256ShortMsg.
NIST = [
    (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
    (
        b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
        b"lmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    ),
    (bytes.fromhex("d3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
    (bytes.fromhex("11af"), "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
    (b"a" * 1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
]


class Notes:
    """Writes down what a watcher is told."""

    def __init__(self) -> None:
        self.schedule: list[int] = []
        self.rounds: list[State] = []
        self.sums: list[tuple[int, int]] = []
        self.final: State | None = None

    def start(self, state: State, schedule: list[int]) -> None:
        self.schedule = schedule

    def round(self, index: int, t1: int, t2: int, state: State) -> None:
        assert index == len(self.rounds)
        self.rounds.append(state)
        self.sums.append((t1, t2))

    def end(self, state: State) -> None:
        self.final = state


@pytest.mark.parametrize(("message", "digest"), NIST, ids=range(len(NIST)))
def test_nist_vectors(message: bytes, digest: str) -> None:
    assert sha256(message).hex() == digest


def test_every_padding_length_against_hashlib() -> None:
    rng = random.Random(180)
    for size in range(200):
        message = rng.randbytes(size)
        assert sha256(message) == hashlib.sha256(message).digest()
        assert sha256d(message) == hashlib.sha256(sha256(message)).digest()


def test_constants_are_the_roots_fips_180_4_lists() -> None:
    assert (K[0], K[1], K[63]) == (0x428A2F98, 0x71374491, 0xC67178F2)
    assert INITIAL_STATE[0] == 0x6A09E667 and INITIAL_STATE[7] == 0x5BE0CD19


def test_a_watcher_sees_the_rounds_fips_180_2_prints_for_abc() -> None:
    notes = Notes()
    sha256(b"abc", notes)
    assert len(notes.rounds) == len(notes.schedule) == 64
    assert notes.rounds[0] == (
        0x5D6AEBCD, 0x6A09E667, 0xBB67AE85, 0x3C6EF372,
        0xFA2A4622, 0x510E527F, 0x9B05688C, 0x1F83D9AB,
    )  # fmt: skip
    assert notes.rounds[63][0] == 0x506E3058 and notes.rounds[63][4] == 0x5EF50F24
    assert notes.schedule[16] == notes.schedule[0]  # "abc": the other terms of W[16] are zero
    assert notes.final is not None and notes.final[0] == 0xBA7816BF


def test_watched_and_unwatched_agree() -> None:
    rng = random.Random(4)
    for _ in range(20):
        state = tuple(rng.getrandbits(32) for _ in range(8))
        chunk = rng.randbytes(64)
        assert compress(state, chunk, Notes()) == compress_fast(state, chunk)  # type: ignore[arg-type]


def test_midstate_path_is_the_plain_double_hash() -> None:
    rng = random.Random(80)
    for _ in range(20):
        header = rng.randbytes(80)
        nonce = int.from_bytes(header[76:], "little")
        want = hashlib.sha256(hashlib.sha256(header).digest()).digest()
        assert header_hash(midstate(header), header[64:76], nonce) == want


def test_the_constants_are_fractions_of_roots_of_primes() -> None:
    """As FIPS 180-4 defines them; here by integer roots of other code."""
    primes = _primes(64)
    assert primes == [n for n in range(2, 312) if all(n % d for d in range(2, n))]
    assert _primes(0) == []
    for number in primes:
        square = math.isqrt(number << 64)
        assert _root_fraction(number, 2) == square % 2**32
        cube = _root_fraction(number, 3) + (int(number ** (1 / 3) + 1e-9) << 32)
        assert cube**3 <= number << 96 < (cube + 1) ** 3
    assert _root_fraction(1, 2) == _root_fraction(4, 2) == 0  # exact roots
    assert _root_fraction(27, 3) == 0
