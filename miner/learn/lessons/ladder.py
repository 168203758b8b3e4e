"""Lesson 5: the midstate, and the ladder from pencil to ASIC."""

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
from miner.learn.answers import near_judge, number_judge
from miner.learn.chain import by_height
from miner.learn.mining import bench_unit, rate
from miner.learn.steps import (
    Axis,
    Check,
    Item,
    Mark,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.paths import cache_dir
from miner.units import si

FAMOUS = 125_552
RUNG_S, QUICK_RUNG_S = 2.0, 0.15
NEVER = 0  # a target no hash meets: pure speed
IDEAS = {
    "python": "the same rounds, but chunk 1 done once: the midstate",
    "hashlib": "OpenSSL's C code, midstate copied",
    "numpy": "thousands of nonces side by side in arrays",
    "portable": "our own C, rounds that do not see the nonce done once",
    "sse2": "4 lanes in one instruction",
    "avx2": "8 lanes in one instruction",
    "avx512": "16 lanes, three-input logic",
    "shani": "the CPU's own SHA-256 instructions",
    "neon": "4 lanes in one instruction",
    "armv8": "the CPU's own SHA-256 instructions",
    "opencl": "thousands of lanes at once",
}
QUOTED = ("Pencil and paper (human)", "Antminer S9", "Antminer S21")


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to do the same work."""

    name: str
    idea: str
    rate_hs: float


def screens(setting: Setting) -> Iterator[Screen]:
    """Count compressions, then climb."""
    block = by_height(FAMOUS) if setting.header is None else setting.header
    yield _why_second_chunk(block)
    yield _counted(block)
    yield from _climb(block, setting)


def _why_second_chunk(block: bytes) -> Screen:
    one, two = block[:76] + bytes(4), block[:76] + b"\xff" * 4
    first, second = trace.record(one), trace.record(two)
    return Screen(
        "The first half never changes",
        (
            Text(
                "The nonce is the last field, bytes 76 to 79: in **chunk 2**. Chunk 1, the first "
                "64 bytes, is the same for every nonce, so its state is too: the **midstate**. A "
                "miner computes it once and starts every try from there."
            ),
            Table(
                "state after chunk 1",
                ("nonce", "first words"),
                (
                    ("0", " ".join(f"{word:08x}" for word in first[0].after[:5])),
                    ("4294967295", " ".join(f"{word:08x}" for word in second[0].after[:5])),
                ),
            ),
            Check(
                "the midstate is the same for the first and the last nonce, the end is not",
                first[0].after == second[0].after and first[1].after != second[1].after,
                "midstate(header)",
            ),
            code(midstate),
        ),
    )


def _counted(block: bytes) -> Screen:
    plain = len(trace.record_double(block))
    return Screen(
        "Compressions for one nonce, counted",
        (
            Table(
                "",
                ("way", "compressions", "rounds"),
                (
                    ("hash all 80 bytes, twice", str(plain), str(plain * 64)),
                    ("from the midstate", "2", "128"),
                    ("skipping what the nonce cannot change", "2", "61 + 61"),
                ),
                "3 rounds before W[3] are done once; the last 3 of the second hash are not needed "
                "to see that a hash fails",
            ),
            Check(
                "the midstate's way gives the same hash",
                header_hash(midstate(block), block[64:76], int.from_bytes(block[76:], "little"))
                == sha256d(block),
                "header_hash(midstate(header), header[64:76], nonce)",
            ),
            Question(
                "3 compressions become 2. By what factor is that faster?",
                "1.5",
                near_judge(1.49, 1.51),
                "The whole gain of the midstate. The next rungs gain far more.",
            ),
            code(header_hash),
        ),
    )


def _climb(block: bytes, setting: Setting) -> Iterator[Screen]:
    seconds = QUICK_RUNG_S if setting.quick else RUNG_S
    rungs = [
        Rung("by hand in Python", "the lesson's own SHA-256, three compressions", _naive(
            readable_sha256d, block, seconds)),
        Rung("hashlib, no midstate", "OpenSSL, all 80 bytes again each time", _naive(
            sha256d, block, seconds)),
    ]  # fmt: skip
    agreed, left_out = True, list[str]()
    for row in registry.probe_all():
        if not row.usable:
            left_out.append(f"{row.name}: {row.why_not}")
            continue
        try:
            backend = registry.open_named(row.name, OpenOptions(cache_dir()))
        except MinerError as error:
            left_out.append(str(error))
            continue
        with_hits = _same_hits(backend)
        agreed &= with_hits
        if with_hits:
            rungs.append(_timed(backend, row, seconds))
        backend.close()
    rungs.sort(key=lambda rung: rung.rate_hs)
    yield _table(rungs, agreed, left_out)
    yield _axis(rungs)


def _naive(hash_of: Callable[[bytes], bytes], block: bytes, seconds: float) -> float:
    """Hashes a second when the whole header is hashed for each nonce."""
    nonce, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        hash_of(block[:76] + nonce.to_bytes(4, "little"))
        nonce += 1
    return nonce / (time.monotonic() - begun)


def _same_hits(backend: Backend) -> bool:
    """The known answers: the same hits as hashlib, header by header."""
    question = selftest.real_block(selftest.BLOCK_125552, backend.info.versions_wanted)
    return selftest.scan_all(backend, question) == question.answer()


def _timed(backend: Backend, row: Candidate, seconds: float) -> Rung:
    family, _, detail = row.name.partition(":")
    idea = IDEAS.get(detail) or IDEAS.get(family) or row.detail
    unit = bench_unit(backend.info.versions_wanted, NEVER)
    return Rung(row.name, idea, rate(backend, unit, seconds))


def _table(rungs: list[Rung], agreed: bool, left_out: list[str]) -> Screen:
    rows, before = [], rungs[0].rate_hs
    for rung in rungs:
        rate_text = si(rung.rate_hs, "H/s", 3)
        rows.append((rung.name[:24], rate_text, f"x{rung.rate_hs / before:.1f}", rung.idea))
        before = rung.rate_hs
    note: tuple[Item, ...] = ()
    if left_out:
        note = (Text("Not on this computer: " + "; ".join(left_out)[:300]),)
    return Screen(
        "The ladder on this computer, one core",
        (
            Table("", ("rung", "measured here", "gain", "idea"), tuple(rows)),
            *note,
            Check(
                "before any rung was timed it found the same hits as hashlib",
                agreed,
                "miner bench: the validity gate",
            ),
            code(Timing.sample),
            Question(
                "How many compressions does the top rung still compute for each hash?",
                "2",
                number_judge(2),
                "Nobody knows a way around them. All the rest is doing the same faster.",
            ),
        ),
    )


def _axis(rungs: list[Rung]) -> Screen:
    marks = [Mark(rung.name, rung.rate_hs, "own") for rung in (rungs[0], rungs[-1])]
    dates = []
    for row in hardware.load():
        if row.name in QUOTED and row.hashrate_hs:
            marks.append(Mark(row.name, row.hashrate_hs))
            dates.append(f"{row.name}: {row.released}, {row.source_url}")
    return Screen(
        "From pencil to ASIC",
        (
            Axis("one device each", "hashes a second", tuple(marks), note="@ measured here"),
            Text("Quoted, not measured here:\n" + "\n".join(dates)),
        ),
    )
