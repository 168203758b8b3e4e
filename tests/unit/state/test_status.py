import json
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from miner.backends.base import BackendInfo, Kind
from miner.bitcoin.target import DIFF1_TARGET, expected_hashes
from miner.state.answers import MAX_ANSWERS, MAX_REASONS
from miner.state.kept import Kept
from miner.state.newest import MOST
from miner.state.sources import Place
from miner.state.status import Status
from miner.views import words
from miner.views.jsonl import status_line
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Coinbase, Job
from miner.work.unit import WorkUnit
from tests.faults import fault

JOB = Job(
    "node", 1, "a", True, 0x20000000, 0, bytes(32), Coinbase(b"1", b"", 4, b"2", ()),
    0x207FFFFF, 1700, 0, True, 2**255, 2**255 // 2, height=9,
)  # fmt: skip


def info(name: str, device: str) -> BackendInfo:
    return BackendInfo(name, device, 1, 1, Kind.CPU)


def flat(status: Status, now: float) -> Any:
    """The fields of the JSON stream, as attributes."""
    return SimpleNamespace(**status_line(status.snapshot(now)))


def share(value: int) -> Share:
    unit = WorkUnit(struct.pack("<I", 1) + bytes(72), (1,), 2**255, JOB, b"", 1700)
    return Share(unit, 1, 0, unit.header(1, 0), value.to_bytes(32, "little"))


def verdict(number: int, answer: Answer, reason: str = "", is_block: bool = False) -> Verdict:
    return Verdict("node", f"{number:064x}", answer, is_block, reason)


def test_rates_of_the_whole_and_of_each_backend() -> None:
    status = Status(0.0)
    one, two = status.worker(info("a", "cpu"), 0.0), status.worker(info("b", "gpu"), 0.0)
    for second in range(1, 121):
        one.hashes, two.hashes = 100 * second, (900 * second if second <= 60 else 54_000)
        status.tick(float(second))
    now = flat(status, 120.0)
    assert now.hashes == 12_000 + 54_000
    assert now.rate_10s_hs == pytest.approx(100)
    assert now.rate_session_hs == pytest.approx(550)
    assert [row["rate_1min_hs"] for row in now.backends] == pytest.approx([100, 0])


def test_each_hash_is_counted_once_by_its_newest_answer() -> None:
    status = Status(0.0)
    assert status.verdict(verdict(1, Answer.UNKNOWN, is_block=True))
    assert flat(status, 1.0).unknown == 1
    assert status.verdict(verdict(1, Answer.ACCEPTED, is_block=True))
    assert not status.verdict(verdict(1, Answer.ACCEPTED, is_block=True))
    assert not status.verdict(verdict(1, Answer.REJECTED, is_block=True))  # the first final holds
    now = flat(status, 1.0)
    assert (now.unknown, now.accepted, now.blocks_accepted, now.rejected) == (0, 1, 1, 0)


def test_a_block_one_node_refused_may_be_accepted_by_another() -> None:
    status = Status(0.0)
    assert status.verdict(verdict(1, Answer.REJECTED, "bad-version", is_block=True))
    assert not status.verdict(verdict(1, Answer.PENDING, is_block=True))
    assert status.verdict(verdict(1, Answer.ACCEPTED, is_block=True))
    assert not status.verdict(verdict(1, Answer.REJECTED, "bad-version", is_block=True))
    now = flat(status, 1.0)
    assert (now.rejected, now.blocks_rejected, now.blocks_accepted) == (0, 0, 1)


def test_answers_are_a_bounded_table_that_forgets_shares_first() -> None:
    status = Status(0.0)
    status.verdict(verdict(0, Answer.UNKNOWN, is_block=True))
    for number in range(1, 2 * MAX_ANSWERS):
        status.share(share(number))
        assert status.verdict(verdict(number, Answer.ACCEPTED))
    assert not status.verdict(verdict(1, Answer.STALE))  # counted and forgotten
    assert len(status._shares.answers._newest) == MAX_ANSWERS
    assert not status.verdict(verdict(2 * MAX_ANSWERS - 1, Answer.ACCEPTED))
    assert status.verdict(verdict(0, Answer.ACCEPTED, is_block=True))  # still known as unknown
    now = flat(status, 1.0)
    assert (now.unknown, now.accepted, now.blocks_accepted) == (0, 2 * MAX_ANSWERS, 1)
    for number in range(1, 2 * MAX_ANSWERS):
        status.verdict(verdict(number << 32, Answer.PENDING, is_block=True))
    assert len(status._shares.answers._newest) == MAX_ANSWERS


def test_reasons_are_a_bounded_table() -> None:
    status = Status(0.0)
    for number in range(100):
        status.share(share(number))
        status.verdict(verdict(number, Answer.REJECTED, f"reason {number}"))
    reasons = dict(flat(status, 1.0).rejected_reasons)
    assert len(reasons) == MAX_REASONS + 1
    assert reasons["other"] == 100 - MAX_REASONS


def test_a_share_without_an_answer_is_pending_however_long_that_takes() -> None:
    """A pool of Stratum v2 tells of ten at once, and of the last nine never."""
    status = Status(0.0)
    for number in range(3):
        status.share(share(number))
    assert flat(status, 1.0).pending == flat(status, 1e6).pending == 3
    status.verdict(verdict(0, Answer.ACCEPTED))
    assert (flat(status, 1.0).pending, flat(status, 1.0).accepted) == (2, 1)
    status.close()
    assert (flat(status, 1.0).pending, flat(status, 1.0).unknown) == (0, 2)


def test_a_reason_taken_back_leaves_no_trace() -> None:
    status = Status(0.0)
    status.share(share(1))
    status.verdict(verdict(1, Answer.PENDING))
    status.verdict(verdict(1, Answer.STALE))
    now = flat(status, 1.0)
    assert (now.pending, now.stale, now.rejected_reasons) == (0, 1, {})


def test_best_difficulty_of_the_session_and_ever(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    kept = Kept(0.0, folder)
    status = Status(0.0, kept)
    status.share(share(DIFF1_TARGET // 8))
    status.share(share(DIFF1_TARGET // 2))
    kept.close()
    later_kept = Kept(0.0, folder)
    later = Status(0.0, later_kept)
    assert flat(later, 0.0).best_difficulty_ever == pytest.approx(8)
    assert flat(later, 0.0).best_difficulty_session is None
    later.share(share(DIFF1_TARGET // 4))
    later_kept.close()
    assert flat(Status(0.0, Kept(0.0, folder)), 0.0).best_difficulty_ever == pytest.approx(8)
    later.share(share(0))  # no division by zero
    assert flat(later, 0.0).best_difficulty_session == DIFF1_TARGET


def test_two_processes_keep_the_better_best(tmp_path: Path) -> None:
    one, two = Kept(0.0, tmp_path), Kept(0.0, tmp_path)
    one.best.share(share(1000))
    one.save()
    two.best.share(share(2000))
    two.close()
    one.close()
    assert int((tmp_path / "best-hash").read_text(), 16) == 1000


def test_a_broken_best_file_is_no_reason_to_stop(tmp_path: Path) -> None:
    path = tmp_path / "best-hash"
    path.write_text("nonsense")
    assert flat(Status(0.0, Kept(0.0, tmp_path)), 0.0).best_difficulty_ever is None
    kept = Kept(0.0, path / "no folder")
    kept.best.share(share(1))
    kept.close()


@fault("B04")
def test_lost_shares_show_in_the_statistic() -> None:
    status = Status(0.0)
    meter = status.worker(info("a", "cpu"), 0.0)
    for _ in range(900):
        status.share(share(1))  # target 2**255: two hashes a share
    meter.hashes = 1800
    assert status.luck_sigmas() == pytest.approx(0, abs=0.1)
    meter.hashes = 3600  # half of them were lost
    sigmas = status.luck_sigmas()
    assert sigmas is not None
    assert sigmas < -10


def test_the_snapshot_is_valid_json_before_and_after_the_first_job() -> None:
    status = Status(0.0)
    json.dumps(status.snapshot(0.0).to_dict(), allow_nan=False)
    status.worker(info("python", "cpu"), 0.0).hashes = 10
    status.job(replace(JOB, job_id="b"), 1.0)
    status.source("node", "ready", "all is well")
    status.share(share(5))
    status.verdict(replace(verdict(5, Answer.REJECTED, "bad"), latency_s=0.25))
    status.alarm("disk full")
    json.dumps(status.snapshot(3.0).to_dict(), allow_nan=False)
    shown = json.loads(json.dumps(status_line(status.snapshot(3.0)), allow_nan=False))
    assert shown["schema"] == 1
    assert shown["job_age_s"] == 2.0
    assert shown["height"] == 9
    assert shown["latency_last_s"] == 0.25
    assert shown["rejected_reasons"] == {"bad": 1}
    assert shown["alarms"] == ["disk full"]
    assert shown["expected_share_s"] == pytest.approx(2 / (10 / 3))


def test_below_the_benchmark_only_after_a_full_minute() -> None:
    status = Status(0.0)
    meter = status.worker(info("native:x", "cpu"), 0.0)
    assert flat(status, 1.0).rate_benchmark_hs is None
    status.facts.benchmark_hs, status.facts.least_hs = 1000.0, 900.0
    for second in range(1, 131):
        meter.hashes += 950 if second <= 65 else 800
        status.tick(float(second))
        now = flat(status, float(second))
        if second == 30:
            assert not now.below_benchmark  # too early to say
        if second == 64:
            assert (now.rate_benchmark_hs, now.below_benchmark) == (1000.0, False)
    assert now.below_benchmark
    tree = status.snapshot(130.0)
    assert "80 % of the benchmark's 1 kH/s: below it" in words.benchmark(tree)
    assert "below it" in words.summary(tree)


def test_jobs_by_clean_and_who_lost_the_work() -> None:
    """A return to the first choice is no failover."""
    status = Status(0.0)
    status.expect_sources([Place("a", "a", "pool", 0, "me"), Place("b", "b", "pool", 1, "you")])
    for source, clean in (("a", True), ("a", False), ("b", True), ("a", True), ("b", True)):
        status.job(replace(JOB, source=source, clean=clean), 1.0)
    now = status.snapshot(2.0)
    assert now.job is not None
    assert (now.job.jobs, now.job.clean_jobs) == (5, 4)
    assert [(row.user, row.jobs, row.failovers) for row in now.sources] == [
        ("me", 3, 2),
        ("you", 2, 0),
    ]
    assert now.sources[1].active


def test_a_source_tells_what_was_stale_and_when_it_last_accepted() -> None:
    status = Status(0.0)
    for number, answer in ((1, Answer.STALE), (2, Answer.ACCEPTED), (3, Answer.STALE)):
        status.share(share(number))
        status.verdict(replace(verdict(number, answer), difficulty=0.5))
        row = status.snapshot(1.0).sources[0]
        assert (row.accepted_at_s is not None) == (number > 1)
    assert (row.stale_difficulty, row.accepted_difficulty, row.rejected_difficulty) == (
        1.0,
        0.5,
        0.0,
    )


def test_the_newest_shares_are_kept_for_plots() -> None:
    status = Status(0.0)
    for number in range(1, MOST + 10):
        status.share(share(number))
    now = status.snapshot(1.0)
    assert len(now.history.shares) == MOST
    assert now.history.shares[-1].difficulty == DIFF1_TARGET / (MOST + 9)
    assert now.history.shares[-1].is_block
    assert "history" not in now.to_dict()
    assert now.history.shares[-1].answer is None


def test_a_dot_has_its_number_and_how_many_were_expected_by_then() -> None:
    status = Status(0.0)
    one = share(1)
    status.job(one.unit.job, 0.0)
    meter = status.worker(info("native:avx2", "a CPU"), 0.0)
    each = round(expected_hashes(one.unit.job.target))
    for number, work in ((1, 3), (2, 5)):
        meter.hashes = work * each
        status.tick(float(number))
        status.share(share(number))
    rows = status.snapshot(3.0).history.shares
    assert [row.number for row in rows] == [1, 2]
    assert [row.expected for row in rows] == pytest.approx([3.0, 5.0])


def test_a_dot_has_its_newest_answer() -> None:
    status = Status(0.0)
    for number in (1, 2, 3):
        status.share(share(number))
    status.verdict(replace(verdict(1, Answer.REJECTED), reason="high-hash", latency_s=0.2))
    status.set_aside(share(2), "not_sent")
    told = [(row.answer, row.reason, row.latency_s) for row in status.snapshot(1.0).history.shares]
    assert told == [("rejected", "high-hash", 0.2), ("not sent", "", None), (None, "", None)]
    row = status.snapshot(1.0).history.shares[0]
    assert (row.hash, row.header) == (share(1).hash_hex, share(1).header.hex())
