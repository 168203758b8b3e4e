"""A whole Stratum v2 session against a pool that judges by its own code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.errors import LocalProtocolError
from miner.protocol.pool import (
    DifficultyChanged,
    Dropped,
    Notice,
    Ready,
    ReconnectAsked,
)
from miner.protocol.sv2 import messages as sv2
from miner.protocol.sv2.crypto import new_key
from miner.protocol.sv2.link import SecureLink
from miner.work.found import Answer, FoundBlock
from tests.fakes.sv2_pool import CHANNEL_BIT, NOW, FakeSv2Pool
from tests.unit.protocol.sv2.kit import EASY, TIP, Pair, find, running, session_of

OTHER_TIP = bytes(reversed(range(32)))


def test_from_nothing_to_an_accepted_share() -> None:
    pair = running()
    pool, job = pair.pool, pair.mine()
    assert pool.user == "bcrt1quser.desk" and pool.flags_asked == 4
    assert pool.rates == [1e6]
    said = [event for event in pair.events if not isinstance(event, Notice)]
    assert [type(event) for event in said][:2] == [Ready, DifficultyChanged]
    told = [event.text for event in pair.events if isinstance(event, Notice)]
    assert "signed by the key given" in told[0] and "ends in 3600 s" in told[0]
    assert "version 2, flags 0x0" in told[1]
    assert "names no address" in told[2], "the coinbase of the first job is looked at"
    share = find(job)
    (answered,) = pair.submit(share)
    assert answered.verdict.answer is Answer.ACCEPTED
    (judged,) = pool.shares
    assert judged.verdict == "ok" and judged.header == share.header
    assert pair.session.open_shares == 0


def test_bytes_one_at_a_time_give_the_same_session() -> None:
    pair = Pair.__new__(Pair)
    pool = FakeSv2Pool()
    pair.pool, pair.session, pair.events, pair.now, pair.step = pool, session_of(), [], 0.0, 1
    pair.session.open()
    pair.exchange()
    pair.submit(find(pair.mine()))
    assert pair.answers[0].verdict.answer is Answer.ACCEPTED


def test_act_1_goes_in_one_piece_and_nothing_before_act_2() -> None:
    session = session_of()
    session.open()
    assert [len(piece) for piece in session.data_to_send()] == [64]
    link = SecureLink(new_key(bytes(range(1, 65))), None, lambda: NOW)
    with pytest.raises(LocalProtocolError, match="before the handshake"):
        link.send(sv2.encode(sv2.UpdateChannel(1, 1.0, 1)))


def test_jobs_and_tips_addressed_to_the_group_are_ours() -> None:
    """As SRI's pool does after the first job: a filter by channel id stalls for ever."""
    pair = running(FakeSv2Pool(by_group=True))
    share = find(pair.mine())
    pair.submit(share)
    assert pair.answers[0].verdict.answer is Answer.ACCEPTED


def test_messages_of_other_channels_are_not_ours() -> None:
    pair = running()
    pair.mine()
    pair.pool.channel_id, pair.pool.group_id = 99, 98
    before = len(pair.events)
    pair.give(pair.pool.send_job(101))
    pair.give(pair.pool.send_tip(2, OTHER_TIP, NOW))
    pair.give(pair.pool.send_target(5))
    pair.give(pair.pool.send_close(98, "bye"))
    assert len(pair.events) == before and not pair.session.closed
    assert pair.session.job is not None and pair.session.job.job_id == "1"


def test_the_channel_moves_to_another_group() -> None:
    pair = running(FakeSv2Pool(by_group=True))
    pair.mine()
    pair.give(pair.pool.send_group(5, 9, 2))
    pair.give(pair.pool.send_job(101))
    pair.give(pair.pool.send_tip(2, OTHER_TIP, NOW))
    assert pair.jobs[-1].job_id == "2"
    pair.give(pair.pool.send_group(6, 9))  # others move, we stay
    pair.give(pair.pool.send_target(1000))
    assert not any(isinstance(one, DifficultyChanged) and one.target == 1000 for one in pair.events)


def test_batches_are_accepted_by_number_and_pending_until_then() -> None:
    pair = running(FakeSv2Pool(batch=3))
    job = pair.mine()
    shares = [find(job, extranonce2_start=number) for number in range(1, 4)]
    for at, share in enumerate(shares[:2]):
        pair.now = 10.0 + at
        assert pair.submit(share) == []
    assert pair.session.open_shares == 2
    pair.now = 100_000.0
    pair.session._progress.heard = pair.session._progress.job_at = pair.now
    assert pair.session.tick(pair.now) == [], "a batch never expires while the connection lives"
    answers = pair.submit(shares[2])
    assert [one.verdict.hash_hex for one in answers] == [share.hash_hex for share in shares]
    assert {one.verdict.answer for one in answers} == {Answer.ACCEPTED}
    assert [one.verdict.latency_s for one in answers] == [None, None, 0.0]
    assert pair.session.open_shares == 0


def test_an_error_inside_a_batch() -> None:
    pool = FakeSv2Pool(batch=2)
    pair = running(pool)
    job = pair.mine()
    one, two, three = (find(job, extranonce2_start=number) for number in (1, 2, 3))
    pair.submit(one)
    pool.jobs[1].alive = False
    (stale,) = pair.submit(two)
    assert stale.verdict.answer is Answer.STALE and stale.verdict.hash_hex == two.hash_hex
    pool.jobs[1].alive = True
    assert [a.verdict.hash_hex for a in pair.submit(three)] == [one.hash_hex, three.hash_hex]


def test_what_is_open_at_the_end_is_unknown() -> None:
    pair = running(FakeSv2Pool(silent=True))
    share = find(pair.mine())
    pair.submit(share)
    (answer,) = pair.session.leave().give_up("over")
    assert answer.verdict.answer is Answer.UNKNOWN and answer.verdict.hash_hex == share.hash_hex
    assert pair.session.leave().give_up("over") == []


def test_the_next_session_tells_what_the_one_before_left_open() -> None:
    pair = running(FakeSv2Pool(silent=True))
    share = find(pair.mine())
    pair.submit(share)
    again = running(left=pair.session.leave())
    assert [one.verdict.hash_hex for one in again.answers] == [share.hash_hex]
    assert again.answers[0].verdict.answer is Answer.UNKNOWN


def test_a_packed_block_is_of_its_connection_alone() -> None:
    pair = running()
    share = find(pair.mine())
    block = pair.session.pack(share, NOW)
    assert pair.session.takes(block) and block.header == share.header
    pair.events += pair.session.submit(block, 0.0)
    pair.exchange()
    assert pair.pool.shares[-1].verdict == "ok" and pair.pool.shares[-1].header == share.header
    assert pair.answers[-1].verdict.is_block
    other = Pair(FakeSv2Pool(), session_of(key=2))
    assert other.session.ready and not other.session.takes(block)


def test_a_share_is_never_sent_twice() -> None:
    pair = running()
    share = find(pair.mine())
    pair.submit(share)
    (again,) = pair.submit(share)
    assert again.verdict.answer is Answer.REJECTED and not again.verdict.is_block
    assert len(pair.pool.shares) == 1


def test_shares_of_other_sessions_and_old_blocks_are_not_taken() -> None:
    pair = running()
    share = find(pair.mine())
    other = running().session
    object.__setattr__(other, "number", 8)
    assert pair.session.takes(share) and not other.takes(share)
    token = pair.session.link.token
    block = FoundBlock("pool", share.hash_hex, 1, share.header, "stratum", "", token)
    assert not pair.session.takes(block)


# -- jobs, targets, prefixes, times


def test_a_future_job_waits_and_takes_the_target_of_its_activation() -> None:
    pair = running()
    pair.mine()
    pair.give(pair.pool.send_job(101))
    assert pair.jobs[-1].job_id == "1"
    pair.give(pair.pool.send_target(EASY // 4))
    pair.give(pair.pool.send_tip(2, OTHER_TIP, NOW + 9))
    job = pair.jobs[-1]
    assert (job.job_id, job.clean, job.share_target, job.ntime) == ("2", True, EASY // 4, NOW + 9)
    assert job.prev_hash == OTHER_TIP and job.height == 101
    share = find(job)
    pair.submit(share)
    assert pair.answers[-1].verdict.answer is Answer.ACCEPTED


def test_a_job_for_now_takes_the_target_of_its_arrival() -> None:
    pair = running()
    pair.mine()
    pair.give(pair.pool.send_target(EASY // 2))
    pair.give(pair.pool.send_job(100, future=False, min_ntime=NOW + 5))
    job = pair.jobs[-1]
    pair.give(pair.pool.send_target(EASY // 8))
    assert pair.session.job is job, "a target without a job leaves the current one as it is"
    assert (job.share_target, job.clean, job.ntime) == (EASY // 2, False, NOW + 5)
    assert job.prev_hash == TIP


def test_a_prefix_counts_for_jobs_that_arrive_later() -> None:
    pair = running()
    pair.mine()
    pair.give(pair.pool.send_job(101))
    pair.give(pair.pool.send_prefix(b"\xaa\xbb\xcc\xdd"))
    pair.give(pair.pool.send_tip(2, OTHER_TIP, NOW))
    assert pair.jobs[-1].coinbase.extranonce1 == b"\x01\x00\x00\x02"
    pair.submit(find(pair.jobs[-1]))
    pair.give(pair.pool.send_job(101, future=False, min_ntime=NOW))
    assert pair.jobs[-1].coinbase.extranonce1 == b"\xaa\xbb\xcc\xdd"
    pair.submit(find(pair.jobs[-1]))
    assert [one.verdict for one in pair.pool.shares] == ["ok", "ok"]


def test_a_new_tip_makes_every_other_job_invalid() -> None:
    pair = running()
    pair.mine()
    pair.give(pair.pool.send_job(101))
    pair.give(pair.pool.send_job(101))
    pair.give(pair.pool.send_tip(3, OTHER_TIP, NOW))
    (end,) = [one for one in pair.give(pair.pool.send_tip(2, TIP, NOW)) if isinstance(one, Dropped)]
    assert "names job 2, which was never sent" in end.why and end.at_once


def test_version_bits_only_where_allowed() -> None:
    pair = running()
    assert pair.mine().version_mask == 0x0FFFE000  # bit 28 is set in the job already
    pair.give(pair.pool.send_job(100, future=False, min_ntime=NOW, rolling=False))
    assert pair.jobs[-1].version_mask == 0
    fixed = running(FakeSv2Pool(flags=1))
    assert fixed.mine().version_mask == 0
    assert not next(event for event in fixed.events if isinstance(event, Ready)).rolling
    plain = running(version_mask=0)
    assert plain.pool.flags_asked == 0 and plain.mine().version_mask == 0


def test_rolled_versions_and_merkle_paths_are_accepted() -> None:
    pair = running()
    job = pair.mine(path=(b"\x11" * 32, b"\x22" * 32))
    from miner.work.found import Share
    from miner.work.roll import Roller

    unit = Roller(job, 3).next(4, 0.0)
    assert unit is not None and len(unit.versions) == 4
    for version in unit.versions:
        shares = (Share.from_hit(unit, version, nonce) for nonce in range(1000))
        pair.submit(next(share for share in shares if share is not None))
    assert [one.verdict for one in pair.pool.shares] == ["ok"] * 4


def test_two_heights_on_one_tip_ask_for_a_new_connection() -> None:
    """A template provider with two clients mixes them up; pools lost blocks by it."""
    pair = running()
    pair.mine(100)
    pair.give(pair.pool.send_job(101, future=False, min_ntime=NOW))
    assert isinstance(pair.end, Dropped) and pair.end.at_once
    assert "height 101" in pair.end.why and "100" in pair.end.why


@pytest.mark.parametrize("data", ["target", "prefix"])
def test_terms_nobody_can_mine_change_nothing(data: str) -> None:
    pair = running()
    job = pair.mine()
    message = pair.pool.send_target(0) if data == "target" else pair.pool.send_prefix(bytes(17))
    (notice,) = pair.give(message)
    assert isinstance(notice, Notice) and "ignored" in notice.text
    assert pair.session.job is job
    pair.pool.target, pair.pool.extranonce_prefix = EASY, b"\x01\x00\x00\x02"
    pair.submit(find(job))
    assert pair.answers[-1].verdict.answer is Answer.ACCEPTED


def test_a_job_before_any_tip_is_refused() -> None:
    pair = running()
    (notice,) = pair.give(pair.pool.send_job(100, future=False, min_ntime=NOW))
    assert isinstance(notice, Notice) and "before any previous hash" in notice.text


# -- running


def test_a_rate_that_moved_is_told_once_a_minute() -> None:
    pair = running()
    for rate, now in ((1.09e6, 100.0), (1.2e6, 59.0), (1.2e6, 60.0), (2e6, 119.0), (2e6, 120.0)):
        pair.session.tell_rate(rate, now)
        pair.exchange()
    assert [round(rate) for rate in pair.pool.rates] == [1_000_000, 1_200_000, 2_000_000]
    pair.session.tell_rate(0.0, 300.0)
    pair.exchange()
    assert pair.pool.rates[-1] == 1.0, "never 0: some pools then flood with the easiest shares"


def test_a_silent_server_is_probed_then_left() -> None:
    pair = running()
    pair.mine()
    pair.session._progress.job_at = 150.0
    assert pair.session.tick(89.9) == [] and not pair.session.data_to_send()
    pair.session.tick(90.0)
    assert len(pair.session.data_to_send()) == 1
    pair.session.tick(91.0)
    assert not pair.session.data_to_send(), "one probe"
    (end,) = pair.session.tick(180.0)
    assert isinstance(end, Dropped) and "silent for 180 s" in end.why
    other = running()
    other.mine()
    other.now = 95.0
    other.session.tick(95.0)
    other.exchange()  # the pool answers with SetTarget
    assert other.session.tick(180.0) == []


def test_old_jobs_and_no_jobs_end_the_connection() -> None:
    pair = running(silence_s=10**9)
    (end,) = pair.session.tick(75.0)
    assert isinstance(end, Dropped) and "no job since the login" in end.why
    pair = running(silence_s=10**9)
    pair.mine()
    assert [one for one in pair.session.tick(599.0) if isinstance(one, Dropped)] == []
    (end,) = pair.session.tick(600.0)
    assert isinstance(end, Dropped) and "no new job for 600 s" in end.why


def test_close_channel_by_id_or_group() -> None:
    for channel in (2, 1):
        pair = running()
        pair.give(pair.pool.send_close(channel, "going\x1b home"))
        assert isinstance(pair.end, Dropped) and pair.end.at_once
        assert "going" in pair.end.why and pair.end.why.isprintable()


def test_reconnect_names_host_and_port_or_neither() -> None:
    pair = running()
    (asked,) = pair.give(pair.pool.send_reconnect("other.example", 4444))
    assert isinstance(asked, ReconnectAsked)
    assert (asked.redirect.host, asked.redirect.port) == ("other.example", 4444)
    (same,) = pair.give(pair.pool.send_reconnect("", 0))
    assert isinstance(same, ReconnectAsked)
    assert (same.redirect.host, same.redirect.port) == (None, None)


def test_three_stale_shares_of_the_current_job_ask_for_a_new_connection() -> None:
    pair = running()
    job = pair.mine()
    pair.pool.jobs[1].alive = False
    for number in range(3):
        pair.submit(find(job, extranonce2_start=number))
    assert isinstance(pair.end, Dropped) and "does not know the job" in pair.end.why


def test_unknown_messages_and_wrong_channel_bits_are_ignored() -> None:
    pair = running()
    job = pair.mine()
    assert pair.give(pair.pool.send(0xFE, b"what", 0)) == []
    assert pair.give(pair.pool.send(0x01, b"what", 0x7777)) == []
    body = pair.pool.channel_id.to_bytes(4, "little") + EASY.to_bytes(32, "little")
    (changed,) = pair.give(pair.pool.send(0x21, body, 0))  # SetTarget without its bit
    assert isinstance(changed, DifficultyChanged)
    assert pair.session.job is job


def test_ten_bad_messages_in_a_row_end_it_nine_do_not() -> None:
    pair = running()
    pair.mine()
    for _ in range(9):
        pair.give(pair.pool.send(0x21, b"\x02", CHANNEL_BIT))
    assert pair.end is None
    pair.give(pair.pool.send_target(EASY))
    for _ in range(10):
        pair.give(pair.pool.send(0x21, b"\x02", CHANNEL_BIT))
    assert isinstance(pair.end, Dropped) and "10 bad messages in a row" in pair.end.why


def test_a_damaged_frame_ends_it() -> None:
    pair = running()
    data = bytearray(pair.pool.send_target(EASY))
    data[30] ^= 1
    pair.give(bytes(data))
    assert isinstance(pair.end, Dropped) and "cannot be decrypted" in pair.end.why


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=120)), max_size=12))
def test_junk_frames_never_raise_and_leave_the_job(frames: list[tuple[int, bytes]]) -> None:
    pair = running()
    pair.mine()
    for number, payload in frames:
        pair.give(pair.pool.send(number, payload, CHANNEL_BIT))
    assert pair.session.job is not None
    for event in pair.events:
        if isinstance(event, Notice):
            assert event.text.isprintable()
