"""SHA-256d over thousands of uint32 lanes with numpy: lanes hold nonces, versions share W.

Every operation writes into a buffer that already exists. A round renews only two of the eight
registers, so a..h rotate by name and the two are updated in place.
"""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from miner.backends.base import (
    BackendInfo,
    Candidate,
    Hit,
    Kind,
    Scannable,
    ScanResult,
    check_range,
)
from miner.backends.single import SingleProvider
from miner.bitcoin.sha256 import (
    DIGEST_PADDING,
    HEADER_PADDING,
    INITIAL_STATE,
    MASK,
    K,
    State,
    big_sigma0,
    big_sigma1,
    ch,
    header_hash,
    maj,
    midstate,
    small_sigma0,
    small_sigma1,
)  # fmt: skip

Lanes = npt.NDArray[np.uint32]
Word = int | Lanes  # a schedule word: the same in every lane, or one per lane

LANES = 16384  # 64 KiB a register: numpy's cost per call is spread over many hashes
STEPS_PER_SCAN = 64  # a scan returns after this many steps even when more was asked
VERSIONS_WANTED = 4
ROUNDS_TO_WORD7 = 61  # e after round 60 becomes h after round 63: digest word 7


class NumpyBackend:
    """Vectorised lanes; numpy lets other threads run during each operation."""

    info = BackendInfo("numpy", f"numpy {np.__version__}", LANES, VERSIONS_WANTED, Kind.CPU)

    def __init__(self) -> None:
        self._nonces = np.arange(LANES, dtype=np.uint32)
        self._registers = [np.empty(LANES, np.uint32) for _ in range(8)]
        self._scratch = [np.empty(LANES, np.uint32) for _ in range(4)]

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        """See Backend.scan."""
        check_range(start, count)
        midstates = [
            midstate(struct.pack("<I", version) + unit.prefix[4:64]) for version in unit.versions
        ]
        done, hits = 0, list[Hit]()
        for _ in range(STEPS_PER_SCAN):
            lanes = min(LANES, count - done)
            if lanes == 0:
                break
            hits += self._step(unit, midstates, start + done, lanes)
            done += lanes
        return ScanResult(tuple(hits), done * len(unit.versions))

    def sensors(self) -> None:
        """A CPU's are not this backend's."""

    def close(self) -> None:
        """Nothing is held."""

    def _step(self, unit: Scannable, midstates: list[State], start: int, lanes: int) -> list[Hit]:
        tail = unit.prefix[64:76]
        nonces = self._nonces[:lanes] + np.uint32(start)  # never wraps: checked by scan
        words = first_schedule(tail, nonces)
        top = unit.target >> 224
        hits = []
        for version, mid in zip(unit.versions, midstates, strict=True):
            word7 = self._digest_word7(mid, words, lanes)
            for lane in np.flatnonzero(word7.byteswap() <= top).tolist():
                nonce = start + lane
                if int.from_bytes(header_hash(mid, tail, nonce), "little") <= unit.target:
                    hits.append(Hit(version, nonce))
        return sorted(hits, key=lambda hit: (hit.nonce, hit.version))

    def _digest_word7(self, mid: State, words: Sequence[Word], lanes: int) -> Lanes:
        """The last word of both hashes' result, for every lane."""
        buffers = [register[:lanes] for register in self._registers]
        scratch = [register[:lanes] for register in self._scratch]
        inner: list[Word] = []
        for start, word in zip(mid, run_rounds(mid, words, 64, buffers, scratch), strict=True):
            inner.append(word + np.uint32(start))
        padding = struct.unpack(">8I", DIGEST_PADDING)
        second = expand([*inner, *padding], ROUNDS_TO_WORD7)
        registers = run_rounds(INITIAL_STATE, second, ROUNDS_TO_WORD7, buffers, scratch)
        return registers[4] + np.uint32(INITIAL_STATE[7])


def first_schedule(tail: bytes, nonces: Lanes) -> list[Word]:
    """W of chunk 2 for every nonce; it does not depend on the version."""
    nonce_word = nonces.byteswap()  # the header holds it little-endian, SHA-256 reads big-endian
    padding = struct.unpack(">12I", HEADER_PADDING)
    return expand([*struct.unpack(">3I", tail), nonce_word, *padding], 64)


def expand(block: list[Word], rounds: int) -> list[Word]:
    """The schedule words of the first `rounds` rounds, K added; block: W[0..15]."""
    w = list(block)
    for t in range(16, rounds):
        terms = (_small_sigma1(w[t - 2]), w[t - 7], _small_sigma0(w[t - 15]), w[t - 16])
        same = sum(term for term in terms if isinstance(term, int)) & MASK
        lanes = [term for term in terms if not isinstance(term, int)]
        w.append(_total(lanes, same) if lanes else same)
    return [_add_constant(word, k) for word, k in zip(w, K, strict=False)]


def run_rounds(
    state: State, wk: Sequence[Word], rounds: int, registers: list[Lanes], scratch: list[Lanes]
) -> list[Lanes]:
    """a..h after `rounds` rounds from one state; wk: W + K. Registers are renewed in place."""
    skip = next(t for t in range(rounds) if not isinstance(wk[t], int))
    for register, word in zip(registers, _same_rounds(state, wk[:skip]), strict=True):
        register.fill(word)
    a, b, c, d, e, f, g, h = registers
    t, u, ab, bc = scratch
    np.bitwise_xor(b, c, out=bc)
    for wt in wk[skip:rounds]:
        _add_big_sigma(e, (14, 5, 6), h, t, u)  # h becomes T1
        np.bitwise_xor(f, g, out=t)
        np.bitwise_and(t, e, out=t)
        np.bitwise_xor(t, g, out=t)  # ch(e, f, g)
        np.add(h, t, out=h)
        np.add(h, np.uint32(wt) if isinstance(wt, int) else wt, out=h)
        np.add(d, h, out=d)
        _add_big_sigma(a, (9, 11, 2), h, t, u)  # and then T1 + T2
        np.bitwise_xor(a, b, out=ab)
        np.bitwise_and(ab, bc, out=bc)
        np.bitwise_xor(bc, b, out=bc)  # maj(a, b, c), from the last round's a ^ b
        np.add(h, bc, out=h)
        ab, bc = bc, ab
        a, b, c, d, e, f, g, h = h, a, b, c, d, e, f, g
    return [a, b, c, d, e, f, g, h]


def _same_rounds(state: State, wk: Sequence[Word]) -> State:
    """Rounds whose words are the same in all lanes, in plain integers."""
    a, b, c, d, e, f, g, h = state
    for word in wk:
        t1 = (h + big_sigma1(e) + ch(e, f, g) + int(word)) & MASK
        t2 = (big_sigma0(a) + maj(a, b, c)) & MASK
        h, g, f, e, d, c, b, a = g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK
    return a, b, c, d, e, f, g, h


def _add_big_sigma(x: Lanes, turns: tuple[int, int, int], total: Lanes, t: Lanes, u: Lanes) -> None:
    """total += rotr(x ^ rotr(x ^ rotr(x, i), j), k): a big sigma in nested form."""
    i, j, k = turns
    _rotr(x, i, t, u)
    np.bitwise_xor(t, x, out=t)
    _rotr(t, j, t, u)
    np.bitwise_xor(t, x, out=t)
    _rotr(t, k, t, u)
    np.add(total, t, out=total)


def _rotr(x: Lanes, bits: int, out: Lanes, spare: Lanes) -> None:
    np.right_shift(x, bits, out=spare)
    np.left_shift(x, 32 - bits, out=out)
    np.bitwise_or(out, spare, out=out)


def _small_sigma0(x: Word) -> Word:
    return small_sigma0(x) if isinstance(x, int) else _small_sigma(x, 7, 18, 3)


def _small_sigma1(x: Word) -> Word:
    return small_sigma1(x) if isinstance(x, int) else _small_sigma(x, 17, 19, 10)


def _small_sigma(x: Lanes, first: int, second: int, shift: int) -> Lanes:
    out, t, u = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    _rotr(x, first, out, u)
    _rotr(x, second, t, u)
    np.bitwise_xor(out, t, out=out)
    np.right_shift(x, shift, out=u)
    np.bitwise_xor(out, u, out=out)
    return out


def _total(lanes: list[Lanes], same: int) -> Lanes:
    total = lanes[0] + np.uint32(same)
    for term in lanes[1:]:
        np.add(total, term, out=total)
    return total


def _add_constant(word: Word, k: int) -> Word:
    return (word + k) & MASK if isinstance(word, int) else word + np.uint32(k)


PROVIDER = SingleProvider(
    Candidate("numpy", Kind.CPU, True, rank=1, detail=f"{LANES} lanes", parallel=True), NumpyBackend
)
