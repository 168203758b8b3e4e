"""Jobs, units and shares are checked when made: each bound, and the first value beyond it."""

from dataclasses import replace
from typing import Any

import pytest

from miner.bitcoin.target import DIFF1_TARGET
from miner.work.found import Answer, Share, Verdict
from miner.work.job import FixedRoot, Job
from miner.work.roll import Roller
from miner.work.unit import WorkUnit, build_unit, check_scannable
from tests.fakes.jobs import changed
from tests.unit.work.test_roll import JOB


def made(**fields: Any) -> Job:
    return changed(JOB, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 0}, {"version": 2**32 - 1}, {"version_mask": 2**29 - 1}, {"nbits": 0},
        {"nbits": 2**32 - 1}, {"ntime": 0}, {"ntime": 2**32 - 1}, {"extranonce2_size": 0},
        {"extranonce2_size": 32}, {"ntime_limit": 0}, {"ntime_limit": 1},
        {"branch": (bytes(32),) * 32}, {"share_target": 1}, {"share_target": 2**256 - 1},
        {"network_target": 1}, {"network_target": 2**256 - 1},
        {"nonces": range(1)}, {"nonces": range(2**32 - 1, 2**32)}, {"nonces": range(2**32)},
    ],
    ids=repr,
)  # fmt: skip
def test_a_job_at_its_bounds(fields: dict[str, Any]) -> None:
    job = made(**fields)
    assert all(
        getattr(job.merkle if hasattr(job.merkle, name) else job, name) == value
        for name, value in fields.items()
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prev_hash": bytes(31)}, "hashes are 32 bytes"),
        ({"prev_hash": bytes(33)}, "hashes are 32 bytes"),
        ({"branch": (bytes(32), bytes(31))}, "hashes are 32 bytes"),
        ({"branch": (bytes(33), bytes(32))}, "hashes are 32 bytes"),
        ({"version": -1}, "version -1 is not 32-bit"),
        ({"version": 2**32}, "version 4294967296 is not 32-bit"),
        ({"version_mask": -1}, "version_mask -1 is not"), ({"version_mask": 2**32}, "version_mask"),
        ({"nbits": -1}, "nbits -1 is not"), ({"nbits": 2**32}, "nbits 4294967296 is not"),
        ({"ntime": -1}, "ntime -1 is not"), ({"ntime": 2**32}, "ntime 4294967296 is not"),
        ({"version_mask": 0x20002000}, "version bits 20000000 inside the mask"),
        ({"extranonce2_size": -1}, "out of range"), ({"extranonce2_size": 33}, "out of range"),
        ({"ntime_limit": -1}, "out of range"), ({"share_target": 0}, "targets are"),
        ({"share_target": 2**256}, "targets are"), ({"network_target": 0}, "targets are"),
        ({"network_target": 2**256}, "targets are"), ({"nonces": range(0)}, "are no range"),
        ({"nonces": range(-1, 5)}, "are no range"), ({"nonces": range(2**32 + 1)}, "are no range"),
        ({"nonces": range(0, 9, 2)}, "are no range"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_job_beyond_its_bounds(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"job '1': .*{words}"):
        made(**fields)


@pytest.mark.parametrize(
    ("share", "network", "target"),
    [
        (5, 4, 5), (5, 5, 5), (5, 6, 6),  # a share no harder than a block hides none
        (5, DIFF1_TARGET, DIFF1_TARGET), (5, DIFF1_TARGET + 1, 5),  # a toy chain does not count
    ],
)  # fmt: skip
def test_a_hit_meets_the_easier_target(share: int, network: int, target: int) -> None:
    assert made(share_target=share, network_target=network).target == target


def scannable(
    versions: tuple[int, ...], first: int | None = None, size: int = 76, target: int = 1
) -> None:
    front = (versions[0] if versions else 0) if first is None else first
    prefix = (front % 2**32).to_bytes(4, "little") + b"\1" * (size - 4)
    check_scannable(prefix, versions, target)


def test_what_a_backend_may_be_given() -> None:
    scannable((0,))
    scannable((0, 1, 2**32 - 1))
    scannable((7,), target=0)
    scannable((7,), target=2**256 - 1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"versions": (1,), "size": 75}, "prefix has 75 bytes, want 76"),
        ({"versions": (1,), "size": 77}, "prefix has 77 bytes"),
        ({"versions": ()}, "not empty"), ({"versions": (2, 1)}, "ascending"),
        ({"versions": (1, 1)}, "distinct"), ({"versions": (-1, 1)}, "unsigned 32-bit"),
        ({"versions": (1, 2**32)}, "unsigned 32-bit"), ({"versions": (2**32,)}, "unsigned 32-bit"),
        ({"versions": (1, 2), "first": 2}, "does not carry version 0x00000001"),
        ({"versions": (1,), "target": -1}, "256-bit"),
        ({"versions": (1,), "target": 2**256}, "256-bit"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_what_a_backend_may_not_be_given(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        scannable(**given)


def a_unit(target: int) -> WorkUnit:
    unit = Roller(made(share_target=target, network_target=target)).next(1, 0.0)
    assert unit is not None
    return unit


def test_a_share_equal_to_a_target_meets_it() -> None:
    share = Share.from_hit(a_unit(2**256 - 1), JOB.version, 7)
    assert share is not None
    assert share.hash_hex == share.hash[::-1].hex()
    exact = Share.from_hit(a_unit(share.value), JOB.version, 7)
    assert exact is not None and exact.is_block
    assert Share.from_hit(a_unit(share.value - 1), JOB.version, 7) is None
    missed = replace(exact, unit=a_unit(share.value - 1))
    assert not missed.is_block


def test_a_header_is_the_prefix_with_its_version_and_nonce() -> None:
    unit = a_unit(1)
    header = unit.header(0x20002000, 0x01020304)
    assert len(header) == 80
    assert header[:4].hex() == "00200020" and header[4:76] == unit.prefix[4:]
    assert header[76:].hex() == "04030201"


@pytest.mark.parametrize(
    ("answer", "final"),
    [
        (Answer.ACCEPTED, True), (Answer.REJECTED, True), (Answer.STALE, True),
        (Answer.UNKNOWN, False), (Answer.PENDING, False),
    ],
)  # fmt: skip
def test_the_journal_lets_go_on_a_final_answer_alone(answer: Answer, final: bool) -> None:
    assert Verdict("pool", "00" * 32, answer, True).final is final


def test_header_only_work_has_one_root_and_no_coinbase() -> None:
    job = made(merkle=FixedRoot(b"\7" * 32))
    with pytest.raises(ValueError, match="job '1' has no coinbase"):
        _ = job.coinbase
    unit = build_unit(job, (job.version,), b"", job.ntime)
    assert unit.prefix[36:68] == b"\7" * 32
    with pytest.raises(ValueError, match="2 bytes for a fixed merkle root"):
        build_unit(job, (job.version,), b"ab", job.ntime)
    for size in (31, 33):
        with pytest.raises(ValueError, match="hashes are 32 bytes"):
            made(merkle=FixedRoot(bytes(size)))
