"""What is measured: seeded work units like those of mining, the gate before, and the list of cases.

A case is one backend with a number of threads and with or without rolled versions.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from miner.backends import registry, selftest
from miner.backends.base import NONCES, Backend, Candidate, OpenOptions, ScanResult
from miner.bitcoin.target import DIFF1_TARGET, nbits_from_target, target_from_difficulty
from miner.bitcoin.versions import BIP320_MASK, spread
from miner.errors import BackendFault, BackendUnavailable, MinerError
from miner.measure.result import Gate
from miner.work.job import Coinbase, Job

VERSION = 0x20000000
DIFFICULTY = 10**14  # of the order of 2026's network: the job's nbits, a real header's
GATE_NONCES = 64  # a range for each number of versions: the readable backend does it in a second
GATE_VERSIONS = (1, 2, 5, 8, 16)
GATE_TARGET = 2**252  # one hash in sixteen hits, so that a missed or false hit shows
ALL, AUTO = "all", registry.AUTO


@dataclass(frozen=True, slots=True)
class Case:
    """A row to measure. `name` is what registry.open_named takes."""

    name: str
    threads: int
    rolling: bool  # several versions a unit, as on pools and nodes that allow it


def derive(seed: int | str, label: str, size: int) -> bytes:
    """Bytes that depend on seed and label alone, so that a result can be repeated."""
    return hashlib.shake_256(f"homehash bench {seed} {label}".encode()).digest(size)


def job(
    seed: int | str, rolling: bool, target: int = DIFF1_TARGET, prev_hash: bytes | None = None
) -> Job:
    """A pool-like job: extranonce2 of 8 bytes, twelve branch hashes, the previous hash drawn from
    the seed unless a real one is given."""
    return Job(
        source="bench",
        session=0,
        job_id=f"bench-{seed}",
        clean=True,
        version=VERSION,
        version_mask=BIP320_MASK if rolling else 0,
        prev_hash=prev_hash or derive(seed, "prev", 28) + bytes(4),
        merkle=Coinbase(
            derive(seed, "coinbase1", 60),
            derive(seed, "extranonce1", 4),
            8,
            derive(seed, "coinbase2", 80),
            tuple(derive(seed, f"branch {i}", 32) for i in range(12)),
        ),
        nbits=nbits_from_target(target_from_difficulty(DIFFICULTY)),
        ntime=1_790_000_000,
        ntime_limit=7200,
        ntime_follows_clock=False,
        share_target=target,
        network_target=target_from_difficulty(DIFFICULTY),
    )


def digest_questions(seed: int) -> list[selftest.Question]:
    """Seeded ranges, several numbers of versions, one at the very end of the nonces."""
    asked = []
    for index, count in enumerate(GATE_VERSIONS):
        versions = tuple(VERSION | spread(i, BIP320_MASK) for i in range(count))
        prefix = struct.pack("<I", versions[0]) + derive(seed, f"gate {count}", 72)
        span = NONCES - GATE_NONCES
        start = int.from_bytes(derive(seed, f"start {count}", 8), "big") % span
        start = span if index == 0 else start
        asked.append(selftest.Question(prefix, versions, GATE_TARGET, start, GATE_NONCES))
    return asked


def digest(answers: Iterable[ScanResult]) -> str:
    """SHA-256 over every hit, 8 bytes each, in order, and over the hashes counted."""
    rolling = hashlib.sha256()
    for result in answers:
        for version, nonce in result.hits:
            rolling.update(struct.pack("<II", version, nonce))
        rolling.update(struct.pack("<Q", result.hashes))
    return rolling.hexdigest()


def gate(backend: Backend, seed: int) -> Gate:
    """Known answers of real blocks, then the digest over seeded ranges against hashlib's."""
    asked = digest_questions(seed)
    vectors = len(selftest.questions(backend.info.versions_wanted)) + len(asked)
    try:
        selftest.check(backend)
        found = digest(selftest.scan_all(backend, question) for question in asked)
    except (BackendFault, ValueError) as error:
        return Gate(vectors, "", False, str(error))
    wanted = digest(question.answer() for question in asked)
    why = "" if found == wanted else f"digest {found[:12]} of its hits, hashlib has {wanted[:12]}"
    return Gate(vectors, found, found == wanted, why)


def choose_names(asked: list[str], cache: Path, say: Callable[[str], None]) -> list[str]:
    """Backend names to measure: `auto` = what mining would open, `all` = every usable one.

    Raises BackendUnavailable for a name that does not exist or cannot run here.
    """
    rows = registry.probe_all(for_auto=ALL not in asked, named=asked)
    names: list[str] = []
    for name in asked or [AUTO]:
        found = _expand(name, rows, cache, say)
        names += [one for one in found if one not in names]
    return names


def _expand(name: str, rows: list[Candidate], cache: Path, say: Callable[[str], None]) -> list[str]:
    if name == ALL:
        for row in rows:
            if not row.usable:
                say(f"{row.name} not measured: {row.why_not}")
        return [row.name for row in rows if row.usable]
    if name != AUTO:
        return [name]
    opened = registry.open_choice([AUTO], 1, OpenOptions(cache, say))
    names = [backend.info.name for backend in opened]
    close_all(opened)
    return list(dict.fromkeys(names))


def is_parallel(name: str, rows: list[Candidate]) -> bool:
    """May several instances run at once? Families are asked by their first candidate."""
    return any(row.parallel for row in rows if row.name == name or row.name.startswith(f"{name}:"))


def build(
    names: list[str], threads: list[int], rolling: list[bool], parallel: Callable[[str], bool]
) -> list[Case]:
    """The matrix: every name with every thread count it can use, with and without rolling."""
    cases = []
    for name in names:
        for count in threads if parallel(name) else [1]:
            cases += [Case(name, count, one) for one in rolling]
    return list(dict.fromkeys(cases))


def thread_scan(logical: int, physical: int | None) -> list[int]:
    """1, 2, 4 ... physical cores ... all logical ones."""
    counts = {1, logical}
    if physical and physical <= logical:
        counts.add(physical)
    step = 2
    while step < logical:
        counts.add(step)
        step *= 2
    return sorted(counts)


def open_case(case: Case, cache: Path) -> list[Backend]:
    """One opened backend a thread; the self-test has passed in each. Closed again on failure."""
    opened: list[Backend] = []
    try:
        for _ in range(case.threads):
            options = OpenOptions(cache, workers=case.threads)
            opened.append(registry.open_named(case.name, options))
    except MinerError:
        close_all(opened)
        raise
    return opened


def close_all(backends: list[Backend]) -> None:
    for backend in backends:
        with suppress(BackendFault, BackendUnavailable):  # it is being given up anyway
            backend.close()
