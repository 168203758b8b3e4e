"""The midstate, and the ladder from pencil to ASIC."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from miner.backends import registry, selftest
from miner.backends.base import Backend, Candidate, OpenOptions
from miner.backends.speed import Timing
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.sha256 import header_hash, midstate
from miner.bitcoin.sha256 import sha256d as readable_sha256d
from miner.errors import MinerError
from miner.gap import hardware
from miner.learn import trace
from miner.learn.chain import FAMOUS, by_height
from miner.learn.live import Live, Point, Shown, Si, word
from miner.learn.mining import bench_unit, rate
from miner.learn.steps import Setting
from miner.paths import cache_dir

RUNG_S, QUICK_RUNG_S = 2.0, 0.15
NEVER = 0  # a target no hash meets: pure speed
IDEAS = (  # by backend, told by the lesson's text
    "python", "hashlib", "numpy", "opencl", "wgpu",
    "portable", "sse2", "avx2", "avx512", "shani", "neon", "armv8",
)  # fmt: skip
PENCIL = "Pencil and paper (human)"  # no brand: told in the lesson's language
QUOTED = (PENCIL, "Antminer S9", "Antminer S21")


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to do the same work."""

    key: str
    name: Shown
    idea: Shown
    rate_hs: float


def screens(setting: Setting) -> Iterator[Live]:
    """Count compressions, time pairs, then climb."""
    block = by_height(FAMOUS) if setting.header is None else setting.header
    yield _half(block)
    yield Live(
        "counted",
        plain=len(trace.record_double(block)),
        plain_rounds=64 * len(trace.record_double(block)),
        same=_from_midstate(block, int.from_bytes(block[76:], "little")) == sha256d(block),
        height=FAMOUS,
        code=header_hash,
    )
    seconds = QUICK_RUNG_S if setting.quick else RUNG_S
    plain, rungs = _pair(block, setting, seconds)
    yield plain
    agreed, climbed = _climb(setting, seconds)
    rungs += climbed
    yield Live("ladder", ladder=_rows(rungs), agreed=agreed, code=Timing.sample)
    yield _axis(rungs)


def _half(block: bytes) -> Live:
    one, two = block[:76] + bytes(4), block[:76] + b"\xff" * 4
    first, second = trace.record(one), trace.record(two)
    return Live(
        "half",
        states=[
            (nonce, " ".join(f"{each:08x}" for each in steps[0].after[:5]))
            for nonce, steps in ((0, first), (2**32 - 1, second))
        ],
        mid=first[0].after == second[0].after and first[1].after != second[1].after,
        height=FAMOUS,
        code=midstate,
    )


def _from_midstate(block: bytes, nonce: int) -> bytes:
    return header_hash(midstate(block), block[64:76], nonce)


def _pair(block: bytes, setting: Setting, seconds: float) -> tuple[Live, list[Rung]]:
    """The readable code with and without the midstate, and the two rungs it gives."""
    mid = midstate(block)

    def whole(nonce: int) -> bytes:
        return readable_sha256d(block[:76] + nonce.to_bytes(4, "little"))

    def kept(nonce: int) -> bytes:
        return header_hash(mid, block[64:76], nonce)

    def openssl(nonce: int) -> bytes:
        return sha256d(block[:76] + nonce.to_bytes(4, "little"))

    def openssl_kept(nonce: int) -> bytes:
        first = begun.copy()
        first.update(block[64:76] + nonce.to_bytes(4, "little"))
        return hashlib.sha256(first.digest()).digest()

    begun = hashlib.sha256(block[:64])
    setting.progress(word("timing", name=word("by_hand"), place=1, total=1))
    plain, faster, c, c_faster = (
        _naive(one, seconds) for one in (whole, kept, openssl, openssl_kept)
    )
    rows = [(word("by_hand"), *_gain(plain, faster)), ("hashlib", *_gain(c, c_faster))]
    rungs = [
        Rung("by hand", word("by_hand"), word("plain_idea"), plain),
        Rung("by hand x", word("by_hand_mid"), word("mid_idea"), faster),
        Rung("hashlib, plain", word("hashlib_plain"), word("openssl_idea"), c),
    ]
    return Live("pairs", pairs=rows, code=header_hash), rungs


def _gain(before: float, after: float) -> tuple[Shown, ...]:
    return Si(before, "H/s"), Si(after, "H/s"), word("times", gain=after / before)


def _naive(hash_of: Callable[[int], bytes], seconds: float) -> float:
    """Hashes a second of a loop over nonces, by this thread's own time."""
    nonce, begun = 0, time.thread_time()
    while time.thread_time() - begun < seconds:
        hash_of(nonce)
        nonce += 1
    return nonce / (time.thread_time() - begun)


def _climb(setting: Setting, seconds: float) -> tuple[bool, list[Rung]]:
    """Every usable backend, checked and then timed; many versions are a rung of their own."""
    agreed, rungs = True, list[Rung]()
    usable = [row for row in registry.probe_all() if row.usable]
    for place, row in enumerate(usable, 1):
        setting.progress(word("timing", name=row.name, place=place, total=len(usable)))
        try:
            backend = registry.open_named(row.name, OpenOptions(cache_dir()))
        except MinerError:
            continue
        try:
            same = _same_hits(backend)
            agreed &= same
            if same:
                rungs += _timed(backend, row, seconds)
        finally:
            backend.close()
    return agreed, sorted(rungs, key=lambda rung: rung.rate_hs)


def _same_hits(backend: Backend) -> bool:
    """The known answers: the same hits as hashlib, header by header."""
    question = selftest.real_block(selftest.BLOCK_125552, backend.info.versions_wanted)
    return selftest.scan_all(backend, question) == question.answer()


def _timed(backend: Backend, row: Candidate, seconds: float) -> list[Rung]:
    family, _, detail = row.name.partition(":")
    known = next((name for name in (detail, family) if name in IDEAS), None)
    idea: Shown = word(known) if known else row.detail  # a backend that somebody else made
    clock = time.thread_time if backend.info.in_caller else time.monotonic
    speed = rate(backend, bench_unit(1, NEVER), seconds, clock)
    rungs = [Rung(row.name, row.name, idea, speed)]
    wanted = backend.info.versions_wanted
    if wanted > 1:
        several = word("several", idea=idea, versions=wanted)
        speed = rate(backend, bench_unit(wanted, NEVER), seconds, clock)
        name = f"{row.name} x{wanted}"
        rungs.append(Rung(name, name, several, speed))
    return rungs


def _base(rung: Rung, known: dict[str, Rung]) -> Rung | None:
    """The rung that a gain is over: the same with one version, else the step before it."""
    one_version, _, _ = rung.key.rpartition(" x")
    if one_version in known:
        return known[one_version]
    family = rung.key.partition(":")[0]
    steps = {"python": "by hand", "hashlib": "hashlib, plain", "numpy": "hashlib"}
    if rung.key == "native:portable":
        return known.get("hashlib")
    before = steps.get(family, "native:portable" if ":" in rung.key else "")
    return known.get(before)


def _rows(rungs: list[Rung]) -> list[tuple[Shown, ...]]:
    known = {rung.key: rung for rung in rungs}
    rows: list[tuple[Shown, ...]] = []
    for rung in rungs:
        base = _base(rung, known)
        gain = word("over", gain=rung.rate_hs / base.rate_hs, base=base.name) if base else ""
        rows.append((rung.name, Si(rung.rate_hs, "H/s"), gain, rung.idea))
    return rows


def _name(row: hardware.HardwareRow) -> Shown:
    return word("pencil") if row.name == PENCIL else row.name


def _axis(rungs: list[Rung]) -> Live:
    top = max(rungs, key=lambda rung: rung.rate_hs)
    quoted = [row for row in hardware.load() if row.name in QUOTED and row.hashrate_hs]
    return Live(
        "axis",
        speeds=[
            *(Point(rung.name, rung.rate_hs, "own") for rung in (rungs[0], top)),
            *(Point(_name(row), row.hashrate_hs) for row in quoted),
        ],
        quoted=[(_name(row), row.hashrate_hs, row.released, row.source_url) for row in quoted],
    )
