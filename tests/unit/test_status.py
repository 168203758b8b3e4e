import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from miner.bitcoin.target import DIFF1_TARGET
from miner.screens import words
from miner.state.rates import SAMPLE_S, Meter
from miner.status import LONGEST_S, MAX_ANSWERS, MAX_REASONS, Status
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Coinbase, Job
from miner.work.unit import WorkUnit

JOB = Job(
    "node", 1, "a", True, 0x20000000, 0, bytes(32), Coinbase(b"1", b"", 4, b"2", ()),
    0x207FFFFF, 1700, 0, True, 2**255, 2**255 // 2, height=9,
)  # fmt: skip


def share(value: int) -> Share:
    unit = WorkUnit(struct.pack("<I", 1) + bytes(72), (1,), 2**255, JOB, b"", 1700)
    return Share(unit, 1, 0, unit.header(1, 0), value.to_bytes(32, "little"))


def verdict(number: int, answer: Answer, reason: str = "", is_block: bool = False) -> Verdict:
    return Verdict("node", f"{number:064x}", answer, is_block, reason)


def test_b20_windows_follow_the_clock_and_never_divide_by_zero() -> None:
    meter = Meter(100.0, LONGEST_S)
    assert meter.rate(100.0, 5, 10.0) == 0.0  # no time has passed
    for second in range(1, 2001):
        meter.sample(100.0 + second, 1000 * second)
    assert meter.rate(2100.0, 2_000_000, 10.0) == pytest.approx(1000)
    assert meter.rate(2100.0, 2_000_000, 900.0) == pytest.approx(1000)
    assert meter.rate(2110.0, 2_000_000, 10.0) == 0.0
    assert len(meter._times) == LONGEST_S / SAMPLE_S + 2  # as at the start: it never grows
    assert meter.rate(2100.5, 2_000_000, 900.0) == pytest.approx(1000, rel=1e-3)
    assert meter.rate(2100.0, 2_000_000, 5000.0) == pytest.approx(1000)  # no further back than kept


def test_a_short_meter_knows_its_longest_window_exactly() -> None:
    meter = Meter(0.0, 60.0)
    for second in range(1, 200):
        meter.sample(float(second), second * second)
        long_s = min(second, 60)
        expected = (second**2 - (second - long_s) ** 2) / long_s
        assert meter.rate(float(second), second * second, 60.0) == pytest.approx(expected)
        assert meter.rate(second + 0.25, second * second, 0.0) == 0.0


def test_b20_a_counter_or_clock_that_steps_back_gives_no_negative_rate() -> None:
    meter = Meter(100.0, LONGEST_S)
    meter.sample(110.0, 1000)
    assert meter.rate(120.0, 10, 5.0) == 0.0
    assert meter.rate(50.0, 2000, 10.0) == 0.0


def test_rates_of_the_whole_and_of_each_backend() -> None:
    status = Status(0.0, "node")
    one, two = status.backend("a", "cpu", 0.0), status.backend("b", "gpu", 0.0)
    for second in range(1, 121):
        one.hashes, two.hashes = 100 * second, (900 * second if second <= 60 else 54_000)
        status.tick(float(second))
    now = status.snapshot(120.0)
    assert now.hashes == 12_000 + 54_000
    assert now.rate_10s_hs == pytest.approx(100)
    assert now.rate_session_hs == pytest.approx(550)
    assert [row.rate_1min_hs for row in now.backends] == pytest.approx([100, 0])


def test_each_hash_is_counted_once_by_its_newest_answer() -> None:
    status = Status(0.0, "node")
    assert status.verdict(verdict(1, Answer.UNKNOWN, is_block=True))
    assert status.snapshot(1.0).unknown == 1
    assert status.verdict(verdict(1, Answer.ACCEPTED, is_block=True))
    assert not status.verdict(verdict(1, Answer.ACCEPTED, is_block=True))
    assert not status.verdict(verdict(1, Answer.REJECTED, is_block=True))  # the first final holds
    now = status.snapshot(1.0)
    assert (now.unknown, now.accepted, now.blocks_accepted, now.rejected) == (0, 1, 1, 0)


def test_a_block_one_node_refused_may_be_accepted_by_another() -> None:
    status = Status(0.0, "node")
    assert status.verdict(verdict(1, Answer.REJECTED, "bad-version", is_block=True))
    assert not status.verdict(verdict(1, Answer.PENDING, is_block=True))
    assert status.verdict(verdict(1, Answer.ACCEPTED, is_block=True))
    assert not status.verdict(verdict(1, Answer.REJECTED, "bad-version", is_block=True))
    now = status.snapshot(1.0)
    assert (now.rejected, now.blocks_rejected, now.blocks_accepted) == (0, 0, 1)


def test_answers_are_a_bounded_table_that_forgets_shares_first() -> None:
    status = Status(0.0, "pool")
    status.verdict(verdict(0, Answer.UNKNOWN, is_block=True))
    for number in range(1, 2 * MAX_ANSWERS):
        status.share(share(number))
        assert status.verdict(verdict(number, Answer.ACCEPTED))
    assert not status.verdict(verdict(1, Answer.STALE))  # counted and forgotten
    assert len(status._answers) == MAX_ANSWERS
    assert not status.verdict(verdict(2 * MAX_ANSWERS - 1, Answer.ACCEPTED))
    assert status.verdict(verdict(0, Answer.ACCEPTED, is_block=True))  # still known as unknown
    now = status.snapshot(1.0)
    assert (now.unknown, now.accepted, now.blocks_accepted) == (0, 2 * MAX_ANSWERS, 1)
    for number in range(1, 2 * MAX_ANSWERS):
        status.verdict(verdict(number << 32, Answer.PENDING, is_block=True))
    assert len(status._answers) == MAX_ANSWERS


def test_reasons_are_a_bounded_table() -> None:
    status = Status(0.0, "pool")
    for number in range(100):
        status.share(share(number))
        status.verdict(verdict(number, Answer.REJECTED, f"reason {number}"))
    reasons = dict(status.snapshot(1.0).rejected_reasons)
    assert len(reasons) == MAX_REASONS + 1
    assert reasons["other"] == 100 - MAX_REASONS


def test_a_reason_taken_back_leaves_no_trace() -> None:
    status = Status(0.0, "pool")
    status.share(share(1))
    status.verdict(verdict(1, Answer.PENDING))
    status.verdict(verdict(1, Answer.STALE))
    now = status.snapshot(1.0)
    assert (now.pending, now.stale, now.rejected_reasons) == (0, 1, ())


def test_best_difficulty_of_the_session_and_ever(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "best"
    status = Status(0.0, "node", path)
    status.share(share(DIFF1_TARGET // 8))
    status.share(share(DIFF1_TARGET // 2))
    status.save_best()
    later = Status(0.0, "node", path)
    assert later.snapshot(0.0).best_difficulty_ever == pytest.approx(8)
    assert later.snapshot(0.0).best_difficulty_session is None
    later.share(share(DIFF1_TARGET // 4))
    later.save_best()
    assert Status(0.0, "x", path).snapshot(0.0).best_difficulty_ever == pytest.approx(8)
    later.share(share(0))  # no division by zero
    assert later.snapshot(0.0).best_difficulty_session == DIFF1_TARGET


def test_two_processes_keep_the_better_best(tmp_path: Path) -> None:
    path = tmp_path / "best"
    one, two = Status(0.0, "a", path), Status(0.0, "b", path)
    one.share(share(1000))
    one.save_best()
    two.share(share(2000))
    two.save_best()
    assert int(path.read_text(), 16) == 1000


def test_a_broken_best_file_is_no_reason_to_stop(tmp_path: Path) -> None:
    path = tmp_path / "best"
    path.write_text("nonsense")
    assert Status(0.0, "a", path).snapshot(0.0).best_difficulty_ever is None
    status = Status(0.0, "a", path / "no folder")
    status.share(share(1))
    status.save_best()


def test_b04_lost_shares_show_in_the_statistic() -> None:
    status = Status(0.0, "a")
    meter = status.backend("a", "cpu", 0.0)
    for _ in range(900):
        status.share(share(1))  # target 2**255: two hashes a share
    meter.hashes = 1800
    assert status.luck_sigmas() == pytest.approx(0, abs=0.1)
    meter.hashes = 3600  # half of them were lost
    sigmas = status.luck_sigmas()
    assert sigmas is not None
    assert sigmas < -10


def test_the_snapshot_is_valid_json_before_and_after_the_first_job() -> None:
    status = Status(0.0, "node")
    json.dumps(status.snapshot(0.0).to_dict(), allow_nan=False)
    status.backend("python", "cpu", 0.0).hashes = 10
    status.job(replace(JOB, job_id="b"), 1.0)
    status.source("node", "ready", "all is well")
    status.share(share(5))
    status.verdict(replace(verdict(5, Answer.REJECTED, "bad"), latency_s=0.25))
    status.alarm("disk full")
    shown = json.loads(json.dumps(status.snapshot(3.0).to_dict(), allow_nan=False))
    assert shown["schema"] == 1
    assert shown["job_age_s"] == 2.0
    assert shown["height"] == 9
    assert shown["latency_last_s"] == 0.25
    assert shown["rejected_reasons"] == {"bad": 1}
    assert shown["alarms"] == ["disk full"]
    assert shown["expected_share_s"] == pytest.approx(2 / (10 / 3))


def test_below_the_benchmark_only_after_a_full_minute() -> None:
    status = Status(0.0, "test")
    meter = status.backend("native:x", "cpu", 0.0)
    assert status.snapshot(1.0).rate_benchmark_hs is None
    status.expect(1000.0, 900.0)
    for second in range(1, 131):
        meter.hashes += 950 if second <= 65 else 800
        status.tick(float(second))
        now = status.snapshot(float(second))
        if second == 30:
            assert not now.below_benchmark  # too early to say
        if second == 64:
            assert (now.rate_benchmark_hs, now.below_benchmark) == (1000.0, False)
    assert now.below_benchmark
    assert "80 % of the benchmark's 1 kH/s: below it" in words.benchmark(now)
    assert "below it" in words.summary(now)
