"""Lesson 3: the target is a number; nbits and difficulty are ways to write it."""

import math
import random
from collections.abc import Iterator

from miner.bitcoin.header import Header
from miner.bitcoin.target import (
    difficulty,
    expected_hashes,
    nbits_from_target,
    target_from_nbits,
)  # fmt: skip
from miner.learn.answers import near_judge, number_judge
from miner.learn.chain import by_height, real_headers
from miner.learn.steps import (
    Axis,
    Check,
    Mark,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.work.found import Share
from miner.work.job import FixedRoot, Job
from miner.work.unit import WorkUnit

FAMOUS = 125_552
REGTEST_NBITS = 0x207FFFFF
EASY_TARGET = 2**249  # one hash in 128 meets it: some dots fall on each side
TRIES = 600


def screens(setting: Setting) -> Iterator[Screen]:
    """Compact form, the number line, and exactness."""
    block = by_height(FAMOUS) if setting.header is None else setting.header
    yield _three_spellings()
    yield _by_hand(Header.parse(block).nbits)
    yield _number_line(block, setting)
    yield _checks(setting, block)


def _row(name: str, nbits: int) -> tuple[str, ...]:
    target = target_from_nbits(nbits)
    return (
        name, f"{nbits:08x}", f"2^{math.log2(target):.2f}", f"{difficulty(target):,.4g}",
        f"{float(expected_hashes(target)):,.4g}",
    )  # fmt: skip


def _three_spellings() -> Screen:
    heights = list(real_headers())
    newest = heights[-1]
    rows = [("regtest", REGTEST_NBITS)]
    for height in (0, FAMOUS, newest):
        rows.append((f"block {height:,}", Header.parse(by_height(height)).nbits))
    return Screen(
        "One number, three spellings",
        (
            Text(
                "A hash is a 256-bit number. A header is a block when its hash is **at most the "
                "target**, another 256-bit number. People say 'leading zeros', but that is only a "
                "picture: the rule is a comparison of numbers."
            ),
            Table(
                "",
                ("", "nbits", "target", "difficulty", "hashes expected"),
                tuple(_row(name, nbits) for name, nbits in rows),
                "block headers: the block chain itself; expected = 2^256 / (target + 1)",
            ),
            code(target_from_nbits),
            Question(
                "The target doubles. What happens to the difficulty: it is multiplied by..?",
                "0.5",
                near_judge(0.5, 0.5),
                "Difficulty is the target of difficulty 1 divided by the target.",
            ),
        ),
    )


def _by_hand(nbits: int) -> Screen:
    exponent, mantissa = nbits >> 24, nbits & 0x7FFFFF
    target = target_from_nbits(nbits)
    return Screen(
        "nbits by hand",
        (
            Text(
                f"nbits is `{nbits:08x}`. First byte: how many bytes the target has, "
                f"`{exponent:#x}` = {exponent}. The other three: its first digits, "
                f"`{mantissa:06x}`. Like writing 1.23e45, in base 256."
            ),
            Table(
                "",
                ("step", "value"),
                (
                    ("mantissa", f"{mantissa:#x}"),
                    ("shift left by", f"8 x ({exponent} - 3) = {8 * (exponent - 3)} bits"),
                    ("target", f"{target:064x}"),
                ),
            ),
            Check(
                "back to nbits gives the same four bytes",
                nbits_from_target(target) == nbits,
                f"nbits_from_target(target_from_nbits({nbits:#010x}))",
            ),
            code(nbits_from_target),
            Question(
                "How many bits does the whole target range have?",
                "256",
                number_judge(256),
                "The same as a SHA-256 hash.",
            ),
        ),
    )


def _number_line(block: bytes, setting: Setting) -> Screen:
    header = Header.parse(block)
    rng = random.Random(setting.seed)
    start = rng.randrange(2**32 - TRIES)
    marks = [Mark("the target: one hash in 128 meets it", float(EASY_TARGET))]
    found, best = 0, 2**256
    for nonce in range(start, start + TRIES):
        tried = Header(
            header.version, header.prev_hash, header.merkle_root, header.time, header.nbits, nonce
        )
        value = int.from_bytes(tried.hash, "little")
        found += value <= EASY_TARGET
        best = min(best, value)
        marks.append(Mark("", float(value), "missed"))
    marks.append(Mark(f"the best of {TRIES} tries", float(best), "found"))
    return Screen(
        "Hashes fall on a number line",
        (
            Text(
                f"{TRIES} nonces of this header, each hash a dot. A number ten times smaller is "
                "ten times rarer: nine tenths of all hashes crowd at the right end."
            ),
            Axis("256-bit numbers, logarithmic", "value of the hash", tuple(marks)),
            Check(
                f"{found} of {TRIES} met the easy target; {TRIES / 128:.1f} were expected, and "
                "chance allows up to four times the square root of that more or less",
                abs(found - TRIES / 128) <= 4 * math.sqrt(TRIES / 128),
                f"miner learn target --seed {setting.seed}",
            ),
        ),
    )


def _checks(setting: Setting, block: bytes) -> Screen:
    rng = random.Random(setting.seed)
    trips = all(
        nbits_from_target(target_from_nbits(exponent << 24 | mantissa)) == exponent << 24 | mantissa
        for exponent in range(3, 33)
        for mantissa in (0x8000, 0xFFFF, 0x7FFFFF, rng.randrange(0x8000, 0x800000))
    )
    return Screen(
        "Exact, to the last bit",
        (
            Check(
                "every legal exponent goes to a target and back unchanged",
                trips,
                "nbits_from_target(target_from_nbits(n)) == n",
            ),
            Check(
                "a sign bit, a zero target and one above 256 bits are refused",
                all(_refused(nbits) for nbits in (0x1D800001, 0x1D000000, 0x22FFFF00)),
                "target_from_nbits(0x1d800001)",
            ),
            Check(
                "a hash that equals the target is a block, one less is not enough of a target",
                _equal_counts(block),
                "Share.from_hit with target = the hash itself, then the hash minus one",
            ),
            code(Share.from_hit),
        ),
    )


def _refused(nbits: int) -> bool:
    try:
        target_from_nbits(nbits)
    except ValueError:
        return True
    return False


def _equal_counts(block: bytes) -> bool:
    header = Header.parse(block)
    value = int.from_bytes(header.hash, "little")

    def share(target: int) -> Share | None:
        job = Job(
            source="lesson", session=0, job_id="", clean=True, version=header.version,
            version_mask=0, prev_hash=header.prev_hash, merkle=FixedRoot(header.merkle_root),
            nbits=header.nbits, ntime=header.time,
            ntime_limit=0, ntime_follows_clock=False, share_target=target, network_target=target,
        )  # fmt: skip
        unit = WorkUnit(block[:76], (header.version,), target, job, b"", header.time)
        return Share.from_hit(unit, header.version, header.nonce)

    return share(value) is not None and share(value - 1) is None
