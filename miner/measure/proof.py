"""Proof of the work a benchmark claims: shares met while it was timed, checked by anybody.

Theory. A share is a header whose hash lies at or below a target fixed before the timed part; a
hash is one with probability p = (target + 1) / 2^256, so n shares came from about n / p hashes, and
nobody can have n shares without doing work of that order. The headers of slice i are built from
SHA-256 over the case, the environment, the time of the start, the seeds, the target and i: shares
fit one file and one slice only, and a target cannot be chosen after the work is seen.

What it does not show: how long the work took (the seconds are the measurer's word), and which
machine did it.
"""

import hashlib
import json
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.versions import BIP320_MASK
from miner.errors import ConfigError
from miner.measure import cases, exact
from miner.measure.result import CaseResult, Proof, Result
from miner.work.found import Share
from miner.work.job import Job
from miner.work.unit import build_unit

SHARES = 400  # expected a case: they prove 92 % of what was done, in 12 kB of text
RECORD = struct.Struct(">IIII")  # slice, extranonce2, version, nonce
IMPROBABLE = 1e-6  # a claim that would give such shares less often than this is refused
FEWEST = 20.0  # expected of a claim: with fewer even none at all would not contradict it
EASIEST = 2**255 - 1
BLOCK_AHEAD_S = 7200  # a block's time may be so far in the future


def choose_target(hashes: float) -> int:
    """The target at which `hashes` give about SHARES shares."""
    return min(int(SHARES * 2**256 / max(hashes, 1.0)), EASIEST)


def record(index: int, share: Share) -> bytes:
    """Where a share lies: its slice, unit, version and nonce."""
    extranonce2 = int.from_bytes(share.unit.extranonce2, "big")
    return RECORD.pack(index, extranonce2, share.version, share.nonce)


def commitment(result: Result, case: CaseResult, target: int) -> str:
    """SHA-256, hex, of everything the work of a case is bound to."""
    bound = {
        "created": result.created,
        "version": result.version,
        "commit": result.commit,
        "environment": result.environment,
        "seed": result.seed,
        "seed_block": result.seed_block,
        "case": [*case.key, case.batch],
        "target": f"{target:064x}",
    }
    text = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def job(bound: str, index: int, case: CaseResult, target: int, block: str | None) -> Job:
    """The work of slice `index`; it builds on the seed block, a hash in display order."""
    prev_hash = bytes.fromhex(block)[::-1] if block else None
    return cases.job(f"{bound} slice {index}", case.versions > 1, target, prev_hash)


def parse_seed_block(text: str) -> tuple[str, str | None]:
    """A block hash of 64 hex digits, or a header of 160: (hash, header or None).

    Raises ConfigError: neither, or a header whose hash does not meet its own nbits.
    """
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) == 32:
        return text.lower(), None
    if len(raw) != 80:
        raise ConfigError(
            f"--seed-block {text[:80]!r} is no block hash of 64 hex digits and no header of 160"
        )
    header = Header.parse(raw)
    if not has_work(header):
        raise ConfigError(
            f"--seed-block {text[:16]}...: this header's hash does not meet its nbits"
        )
    return header.hash_hex, text.lower()


def has_work(header: Header) -> bool:
    """Does its hash meet its own nbits?"""
    try:
        return int.from_bytes(header.hash, "little") <= target_from_nbits(header.nbits)
    except ValueError:
        return False


def seed_of(result: Result) -> Header | None:
    """The header of the seed block, None where the file has its hash alone or no seed block.

    Raises ConfigError: the header is another block's or has no work, or the file says that it was
    made before that block.
    """
    if result.seed_header is None:
        return None
    if result.seed_block is None:
        raise ConfigError("the file holds a block's header and no seed block")
    header = Header.parse(bytes.fromhex(result.seed_header))
    if header.hash_hex != result.seed_block or not has_work(header):
        raise ConfigError(f"the header given is not that of the seed block {result.seed_block}")
    created = datetime.fromisoformat(result.created).timestamp()
    if created < header.time - BLOCK_AHEAD_S:
        raise ConfigError(
            f"the file says {result.created}, before the block it builds on was made "
            f"({datetime.fromtimestamp(header.time, UTC):%Y-%m-%d %H:%M} UTC)"
        )
    return header


@dataclass(frozen=True, slots=True)
class Finding:
    """What the shares of a case show. `contradiction` is empty when they fit what is claimed."""

    case: CaseResult
    claimed: int  # hashes
    shares: int
    expected: float  # shares the claim would give
    proven: float  # hashes done with 95 % confidence, one-sided
    contradiction: str = ""

    @property
    def why(self) -> str:
        """Why it is no proof, in words; "" for one."""
        if self.contradiction or self.expected >= FEWEST:
            return self.contradiction
        return (
            f"the claimed hashes would give {self.expected:.1f} shares at its target: too few to "
            "prove anything"
        )

    @property
    def passed(self) -> bool:
        return not self.why

    @property
    def share_proven(self) -> float:
        """Of the hashes claimed; never more than all of them."""
        return min(self.proven / self.claimed, 1.0)


def check(result: Result) -> list[Finding]:
    """Hash every share of every case again: milliseconds, on any computer."""
    return [_check(result, case) for case in result.cases if case.gate.passed and case.slices]


def refuse_forged(result: Result, where: str) -> None:
    """For whoever uses a file's figures: a case may come without shares, as older files do, but
    not with shares that contradict it. Raises ConfigError."""
    try:
        seed_of(result)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    for one in check(result):
        if one.case.proof is not None and one.contradiction:
            raise ConfigError(f"{where}: {one.case.spelled}: {one.contradiction}")


def _check(result: Result, case: CaseResult) -> Finding:
    claimed = sum(one.hashes for one in case.slices)
    if case.proof is None:
        return Finding(case, claimed, 0, 0.0, 0.0, "the file holds no shares of this case")
    expected = claimed * case.proof.chance
    why = _refuse(result, case, case.proof)
    count = len(case.proof.shares)
    found = Finding(case, claimed, count, expected, 0.0, why)
    if why:
        return found
    if why := _unlikely(case, case.proof, expected):
        return replace(found, contradiction=why)
    return replace(found, proven=exact.poisson_lower(count) / case.proof.chance)


def _unlikely(case: CaseResult, proof: Proof, expected: float) -> str:
    """Why the claim and the shares do not fit each other, as a whole and slice by slice; "" when
    they do. All slices together refuse an honest file as rarely as the whole does."""
    count = len(proof.shares)
    if exact.poisson_at_most(count, expected) < IMPROBABLE:
        return (
            f"{count} shares, where the claimed hashes would give {expected:.0f}: more is claimed "
            "than was done"
        )
    found = [0] * len(case.slices)
    for raw in proof.shares:
        found[RECORD.unpack(raw)[0]] += 1
    least = IMPROBABLE / 2 / len(found)
    for index, (shares, one) in enumerate(zip(found, case.slices, strict=True)):
        mean = one.hashes * proof.chance
        few = exact.poisson_at_most(shares, mean)
        if min(few, exact.poisson_at_least(shares, mean)) < least:
            what = "more" if few < least else "less"
            return (
                f"slice {index} holds {shares} shares, where its hashes would give {mean:.0f}: "
                f"{what} is claimed for it than was done"
            )
    return ""


def _refuse(result: Result, case: CaseResult, proof: Proof) -> str:
    """The first share that is none, in words; "" when all are good."""
    bound = commitment(result, case, proof.target)
    jobs: dict[int, Job] = {}
    seen: set[bytes] = set()
    for place, raw in enumerate(proof.shares):
        index, extranonce2, version, nonce = RECORD.unpack(raw)
        if index >= len(case.slices):
            return f"share {place} belongs to slice {index}, of {len(case.slices)}"
        if raw in seen:
            return f"share {place} stands there twice"
        seen.add(raw)
        work = jobs.get(index)
        if work is None:
            work = jobs[index] = job(bound, index, case, proof.target, result.seed_block)
        if version & ~BIP320_MASK != work.version or (
            not work.version_mask and version != work.version
        ):
            return f"share {place} has version {version:#010x}, which this work does not allow"
        unit = build_unit(work, (version,), extranonce2.to_bytes(8, "big"), work.ntime)
        if Share.from_hit(unit, version, nonce) is None:
            return f"share {place} does not meet the target: it is of other work, or none"
    return ""
