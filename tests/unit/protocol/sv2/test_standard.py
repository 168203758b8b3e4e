"""Header-only work: a standard channel, by its own jobs and by its group's."""

from miner.protocol.pool import Notice
from miner.work.found import Answer, Share
from miner.work.job import Coinbase, FixedRoot
from miner.work.roll import Roller
from tests.fakes.sv2_pool import NOW, FakeSv2Pool
from tests.unit.protocol.sv2.kit import find, running


def test_a_standard_channel_gives_a_root_and_takes_shares() -> None:
    pair = running(standard=True)
    assert pair.pool.flags_asked == 5 and pair.pool.standard
    job = pair.mine()
    assert isinstance(job.merkle, FixedRoot) and job.height is None
    pair.submit(find(job))
    (judged,) = pair.pool.shares
    assert judged.verdict == "ok"
    assert pair.answers[0].verdict.answer is Answer.ACCEPTED


def test_versions_roll_on_header_only_work() -> None:
    pair = running(standard=True)
    roller = Roller(pair.mine())
    unit = roller.next(4, 0.0)
    assert unit is not None and len(unit.versions) == 4 and unit.extranonce2 == b""
    for version in unit.versions:
        shares = (Share.from_hit(unit, version, nonce) for nonce in range(1000))
        pair.submit(next(share for share in shares if share is not None))
    assert [one.verdict for one in pair.pool.shares] == ["ok"] * 4


def test_a_standard_channel_mines_the_extended_jobs_of_its_group() -> None:
    pair = running(FakeSv2Pool(by_group=True), standard=True)
    job = pair.mine(path=(b"\x11" * 32,))
    assert isinstance(job.merkle, Coinbase) and job.merkle.extranonce2_size == 0
    assert job.height == 100
    pair.submit(find(job))
    assert [one.verdict for one in pair.pool.shares] == ["ok"]


def test_a_job_for_now_on_a_standard_channel() -> None:
    pair = running(standard=True)
    pair.mine()
    pair.give(pair.pool.send_job(100, future=False, min_ntime=NOW + 3))
    assert pair.jobs[-1].ntime == NOW + 3 and not pair.jobs[-1].clean
    pair.submit(find(pair.jobs[-1]))
    assert pair.pool.shares[-1].verdict == "ok"


def test_header_only_work_on_an_extended_channel_is_refused() -> None:
    pair = running()
    job = pair.mine()
    pair.pool.standard = True
    (notice,) = pair.give(pair.pool.send_job(100, future=False, min_ntime=NOW))
    assert isinstance(notice, Notice) and "header-only" in notice.text
    assert pair.session.job is job


def test_a_bad_new_tip_changes_nothing() -> None:
    pair = running()
    job = pair.mine()
    pair.give(pair.pool.send_job(101))
    pair.pool.nbits = 0
    (notice,) = pair.give(pair.pool.send_tip(2, b"\x33" * 32, NOW))
    assert isinstance(notice, Notice) and pair.session.job is job
