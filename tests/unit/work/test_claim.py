"""The judge of other people's shares: each by its own job, and as a real ckpool judged them."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from miner.bitcoin.target import target_from_difficulty
from miner.work.claim import KEPT_JOBS, Answer, Assignment, Claim, WorkBook
from miner.work.job import Coinbase, Job
from tests.fakes.jobs import changed
from tests.fakes.pool_judge import double_sha

VECTORS = Path(__file__).parents[2] / "vectors" / "stratum"
MASK = 0x1FFFE000


def lines(name: str, who: str) -> list[Any]:
    rows = [json.loads(row) for row in (VECTORS / name).read_text().splitlines()]
    return [json.loads(row["line"]) for row in rows if row["from"] == who]


def recorded_job() -> tuple[Job, dict[int, list[str]], dict[int, bool]]:
    """ckpool's job as sent, the miner's submits by id, ckpool's answers by id."""
    said = lines("ckpool-version-rolling.jsonl", "pool")
    _, extranonce1, size = next(one["result"] for one in said if one.get("id") == 2)
    fields = next(one["params"] for one in said if one.get("method") == "mining.notify")
    words = bytes.fromhex(fields[1])
    job = Job(
        source="ckpool", session=0, job_id=fields[0], clean=True,
        version=int(fields[5], 16) & ~MASK, version_mask=MASK,
        prev_hash=b"".join(words[at : at + 4][::-1] for at in range(0, 32, 4)),
        merkle=Coinbase(
            bytes.fromhex(fields[2]), bytes.fromhex(extranonce1), size, bytes.fromhex(fields[3]),
            tuple(bytes.fromhex(node) for node in fields[4]),
        ),
        nbits=int(fields[6], 16), ntime=int(fields[7], 16), ntime_limit=0,
        ntime_follows_clock=False, share_target=target_from_difficulty(Fraction(1, 1000)),
        network_target=1,
    )  # fmt: skip
    asked = lines("ckpool-version-rolling.jsonl", "miner")
    submits = {one["id"]: one["params"] for one in asked if one["method"] == "mining.submit"}
    answers = {one["id"]: one["result"] for one in said if one.get("id") in submits}
    return job, submits, answers


def claim_of(params: list[str]) -> Claim:
    numbers = [int(word, 16) for word in params[3:]]
    return Claim(params[1], bytes.fromhex(params[2]), numbers[0], numbers[1], numbers[2])


def test_what_ckpool_took_and_refused() -> None:
    """Of its shares those whose bits repeat the job's own, which both rules read alike."""
    job, submits, answers = recorded_job()
    book = WorkBook()
    book.give(Assignment(job, Fraction(1, 1000), 1))
    seen = 0
    for number, params in submits.items():
        claim = claim_of(params)
        assert claim.version_bits is not None
        if not answers[number] or claim.version_bits & 0x10000000:
            judged = book.judge(claim, job.prev_hash, job.ntime)
            assert (judged.answer is Answer.ACCEPTED) is answers[number], params
            seen += 1
    assert seen == 3


def simple(**values: Any) -> Assignment:
    """A job that every second hash meets."""
    merkle = Coinbase(b"\1" * 50, b"\2\3", 4, b"\4" * 60, ())
    job = Job(
        source="t", session=0, job_id="1", clean=True, version=0x20000000, version_mask=MASK,
        prev_hash=b"\5" * 32, merkle=merkle, nbits=0x207FFFFF, ntime=1000, ntime_limit=0,
        ntime_follows_clock=False, share_target=2**255, network_target=2**254,
    )  # fmt: skip
    return Assignment(changed(job, **values), Fraction(1, 7), 2**252)


def good(book: WorkBook, given: Assignment, want: Answer = Answer.ACCEPTED) -> Claim:
    """The first nonce that is judged so."""
    for nonce in range(1000):
        claim = Claim(given.job_id, bytes(4), given.job.ntime, nonce)
        judged = book.judge(claim, given.job.prev_hash, 1000.0)
        if judged.answer is want:
            return claim
    raise AssertionError(want)


def test_the_header_is_rebuilt_from_the_claim_alone() -> None:
    book, given = WorkBook(), simple()
    book.give(given)
    nonce = 0
    judged = book.judge(Claim("1", b"abcd", 1003, nonce, 0x6000), b"\5" * 32, 1000.0)
    assert judged.share is not None
    coinbase = b"\1" * 50 + b"\2\3" + b"abcd" + b"\4" * 60
    header = (
        (0x20006000).to_bytes(4, "little") + b"\5" * 32 + double_sha(coinbase)
        + (1003).to_bytes(4, "little") + (0x207FFFFF).to_bytes(4, "little") + bytes(4)
    )  # fmt: skip
    assert judged.share.header == header
    assert judged.hash == int.from_bytes(double_sha(header), "little")


@pytest.mark.parametrize(
    ("claim", "answer"),
    [
        (Claim("2", bytes(4), 1000, 0), Answer.UNKNOWN_JOB),
        (Claim("1", bytes(3), 1000, 0), Answer.MALFORMED),
        (Claim("1", bytes(4), 1000, 2**32), Answer.MALFORMED),
        (Claim("1", bytes(4), 999, 0), Answer.BAD_TIME),
        (Claim("1", bytes(4), 1601, 0), Answer.BAD_TIME),
        (Claim("1", bytes(4), 1000, 0, 1), Answer.BAD_VERSION),
        (Claim("1", bytes(4), 1000, 0, 0x20000000), Answer.BAD_VERSION),
    ],
)
def test_what_no_header_can_be(claim: Claim, answer: Answer) -> None:
    book = WorkBook()
    book.give(simple())
    judged = book.judge(claim, b"\5" * 32, 1000.0)
    assert judged.answer is answer and judged.share is None and not judged.difficulty


def test_time_may_follow_the_clock() -> None:
    book = WorkBook()
    book.give(simple(share_target=2**256 - 1))
    for now, ntime, want in ((1000.0, 1600, True), (5000.0, 5600, True), (5000.0, 5601, False)):
        judged = book.judge(Claim("1", bytes(4), ntime, 0), b"\5" * 32, now)
        assert (judged.answer is Answer.ACCEPTED) is want


def test_late_shares_are_stale_but_their_blocks_are_seen() -> None:
    book, given = WorkBook(), simple()
    book.give(given)
    blocks = 0
    for nonce in range(200):
        judged = book.judge(Claim("1", bytes(4), 1000, nonce), b"\6" * 32, 1000.0)
        assert judged.answer in (Answer.STALE, Answer.LOW) and not judged.difficulty
        blocks += judged.is_block
        assert judged.is_block == (judged.hash is not None and judged.hash <= 2**252)
    assert blocks


def test_a_block_easier_than_the_share_is_taken_and_credits_nothing() -> None:
    book = WorkBook()
    given = Assignment(simple(share_target=2**250).job, Fraction(1), 2**253)
    book.give(given)
    claim = good(book, given)
    again = WorkBook()
    again.give(given)
    judged = again.judge(claim, b"\5" * 32, 1000.0)
    assert judged.is_block and judged.hash is not None
    assert judged.difficulty == (Fraction(1) if judged.hash <= 2**250 else 0)


def test_eight_jobs_are_kept_and_a_share_counts_once_whatever_its_job_is_called() -> None:
    book = WorkBook()
    given = [simple(job_id=f"{number}") for number in range(KEPT_JOBS + 1)]
    for one in given:
        book.give(one)
    assert book.newest is given[-1]
    assert book.judge(Claim("0", bytes(4), 1000, 0), b"\5" * 32, 0.0).answer is Answer.UNKNOWN_JOB
    claim = good(book, given[1])
    renamed = Claim("5", claim.extranonce2, claim.ntime, claim.nonce)
    assert book.judge(renamed, b"\5" * 32, 1000.0).answer is Answer.DUPLICATE
