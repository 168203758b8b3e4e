"""The room decides: seats, names, scores, modes, and what the kernel's word means."""

from typing import Any

import pytest

from miner.pool.values import (
    Answer,
    BlockFound,
    BlockJudged,
    Claim,
    Joined,
    Kind,
    Left,
    Mode,
    NewWork,
    Refused,
    ShareJudged,
    Slept,
    TipChanged,
)
from tests.fakes.pool_judge import target_of
from tests.unit.pool.kit import NOW, SECOND_TIP, Line, Rig

BLOCK_TARGET = target_of("1e-6")


def found(rig: Rig, one: Line) -> str:
    """Let a miner find a block; its hash."""
    assert one.submit(one.miner.find(target=BLOCK_TARGET)) is None
    return rig.blocks[-1].hash_hex


def racing(**rules: Any) -> tuple[Rig, Line, Line]:
    rig = Rig(class_target=BLOCK_TARGET, **rules)
    rig.new_template()
    return rig, rig.joined("Ann"), rig.joined("Bob")


def test_a_block_counts_when_the_kernel_has_taken_it() -> None:
    rig, ann, _ = racing()
    hash_hex = found(rig, ann)
    assert rig.room.view(NOW).blocks == () and rig.room.view(NOW).members[0].blocks == 0
    rig.now += 9
    rig.room.block_judged(hash_hex, True, "", True, rig.now)
    rig.new_template(hash_hex, 6)
    view = rig.room.view(rig.now)
    assert [(row.height, row.name, row.accepted) for row in view.blocks] == [(5, "Ann", True)]
    assert view.members[0].blocks == 1 and view.members[0].share_of_blocks == 1.0
    assert view.members[0].alone == view.members[0].pooled == 5_000_000_000
    assert view.chain.height == 5 and view.chain.tip_hash == hash_hex


def test_a_block_that_the_kernel_refuses_is_none() -> None:
    rig, ann, _ = racing()
    hash_hex = found(rig, ann)
    rig.room.block_judged(hash_hex, False, "bad-cb-amount", True, rig.now)
    view = rig.room.view(rig.now)
    assert view.blocks == () and view.members[0].blocks == 0 and view.members[0].alone == 0
    (judged,) = rig.of(BlockJudged)
    assert not judged.accepted and judged.word == "bad-cb-amount"
    assert view.members[0].accepted == 1  # the share was good


def test_the_tip_may_come_before_the_verdict() -> None:
    rig, ann, _ = racing()
    hash_hex = found(rig, ann)
    rig.new_template(hash_hex, 6)
    (row,) = rig.room.view(rig.now).blocks
    assert row.name == "Ann" and not row.accepted
    rig.room.block_judged(hash_hex, True, "", True, rig.now)
    (row,) = rig.room.view(rig.now).blocks
    assert row.accepted and rig.room.view(rig.now).members[0].blocks == 1


def test_a_pool_splits_a_block_by_the_newest_work() -> None:
    rig, ann, bob = racing(mode=Mode.POOL)
    assert ann.miner.jobs[-1].fields[2:4] == bob.miner.jobs[-1].fields[2:4]  # one coinbase
    for one, shares in ((ann, 3), (bob, 1)):
        for _ in range(shares):
            assert one.submit(one.miner.find(target=target_of("1e-6"))) is None
    rig.room.block_judged(rig.blocks[-1].hash_hex, True, "", True, rig.now)
    rows = rig.room.view(rig.now).members
    assert sum(row.pooled for row in rows) == 5_000_000_000
    assert rows[1].pooled >= rows[0].pooled / 3 > 0  # PPLNS: the window is two blocks of work


def test_modes_change_live_and_jobs_given_before_keep_what_they_pay() -> None:
    rig, ann, bob = racing()
    assert ann.miner.jobs[-1].fields[3] != bob.miner.jobs[-1].fields[3]
    before = ann.miner.find(target=BLOCK_TARGET)
    rig.room.set_mode(Mode.POOL, rig.now)
    assert ann.miner.jobs[-1].fields[3] == bob.miner.jobs[-1].fields[3]
    assert ann.miner.jobs[-1].fields[8] is False
    assert ann.submit(before) is None


def test_sixty_four_miners_are_enough_and_browsers_have_places_of_their_own() -> None:
    rig = Rig()
    rig.new_template()
    for number in range(64):
        rig.joined(f"m{number}")
    late = rig.joined("late")
    assert late.miner.replies[3]["result"] is False
    assert "ckpool" in late.miner.replies[3]["error"][1] and "ckpool" in late.miner.messages[0]
    browser = rig.room.enter(Kind.BROWSER, "phone", "Firefox", rig.room.new_entry(), rig.now)
    assert browser.kind is Kind.BROWSER
    rig.room.leave(1, rig.now)
    assert late.ask("mining.authorize", "late", "x")["result"] is True


def test_in_a_full_room_a_seat_without_shares_becomes_anothers() -> None:
    rig = Rig(most_of_a_kind=3)
    rig.new_template()
    ann = rig.joined("Ann")
    assert ann.submit(ann.miner.find()) is None
    idle, newer = rig.joined("sleeper"), rig.joined("Bob")
    rig.now += 100
    assert newer.submit(newer.miner.find()) is None
    rig.now += 79
    assert rig.joined("late").connection.number is None  # everybody has had no time yet
    rig.now += 1
    late = rig.joined("late")
    assert late.connection.number is not None
    assert idle.transport.closed and "no share in 180 s" in idle.miner.messages[-1]
    assert rig.joined("later").connection.number is None  # all of these mine, or are new
    assert not ann.transport.closed and not newer.transport.closed


def test_who_comes_back_goes_on_in_the_same_row() -> None:
    rig, ann, bob = racing()
    assert ann.submit(ann.miner.find()) is None
    number = ann.number
    ann.leave()
    again = rig.joined("ann")  # the name is enough
    assert again.number == number
    assert [event.again for event in rig.of(Joined)] == [False, False, True]
    assert rig.room.view(rig.now).members[0].accepted == 1
    other = rig.joined("Ann")  # and taken while its owner is here
    assert rig.room.member(other.number).name == "Ann 2"  # type: ignore[union-attr]
    assert other.miner.messages[0].startswith("you are Ann 2 here, since Ann is taken: private")
    assert ann.miner.messages == ["welcome, Ann: private class chain; its coins exist only here"]
    assert bob.number != number


def test_a_session_that_is_resumed_keeps_its_extranonce1_and_its_shares() -> None:
    rig, ann, _ = racing()
    share = ann.miner.find()
    again = rig.connect()
    again.ask("mining.subscribe", "wire/1", ann.miner.session_id)
    assert again.miner.extranonce1 == ann.miner.extranonce1
    again.ask("mining.authorize", "Ann", "x")
    assert again.number == 1
    assert ann.transport.closed and "newer connection" in ann.miner.messages[-1]
    assert [event.why for event in rig.of(Left)] == [
        "replaced by a newer connection of the same miner"
    ]
    assert again.submit(share) is None  # found before the connection broke
    assert again.submit(share)[0] == 22
    ann.leave()  # the old socket ends: nobody else does
    assert rig.room.member(1).left_s is None  # type: ignore[union-attr]


def test_a_share_of_a_session_long_gone_is_answered_not_counted() -> None:
    rig, ann, _ = racing()
    assert ann.submit(["Ann", "beef1", "00000000", f"{int(NOW):08x}", "00000001"])[0] == 21
    stranger = rig.connect()
    stranger.ask("mining.subscribe", "wire/1", "f" * 24)
    assert stranger.miner.extranonce1 not in ("", ann.miner.extranonce1)
    judged = rig.room.submit(999, Claim("1", b"1234", 0, 0), rig.now)
    assert judged.answer is Answer.UNAUTHORIZED


def test_the_teacher_renames_removes_pauses_and_resets() -> None:
    rig, ann, bob = racing()
    rig.room.rename(bob.number, "Ann", rig.now)
    assert rig.room.member(bob.number).name == "Ann 2"  # type: ignore[union-attr]
    rig.room.rename(bob.number, "Bobby\x1b[0m", rig.now)
    assert "426f626279" in bob.miner.jobs[-1].fields[3]  # his coinbase names him
    number = ann.number
    late = ann.miner.find()
    rig.room.pause(True, rig.now, number)
    assert ann.submit(late)[1] == Answer.PAUSED.words
    assert bob.submit(bob.miner.find()) is None
    rig.room.pause(False, rig.now, number)
    assert ann.submit(ann.miner.find()) is None
    rig.room.remove(number, rig.now)
    assert ann.transport.closed and ann.miner.messages[-1] == "removed by the teacher"
    back = rig.joined("Ann")
    assert back.connection.number is None and "removed Ann" in back.miner.messages[-1]
    rig.room.reset(rig.now)
    assert back.ask("mining.authorize", "Ann", "x")["result"] is True
    assert [row.accepted for row in rig.room.view(rig.now).members] == [0, 0]
    with pytest.raises(KeyError):
        rig.room.remove(99, rig.now)


def test_a_computer_that_slept_says_so_and_the_class_goes_on() -> None:
    rig, ann, _ = racing()
    share = ann.miner.find()
    rig.now += 1
    rig.room.tick(rig.now)
    assert not rig.of(Slept)
    rig.now += 3600
    rig.room.tick(rig.now)
    assert [event.seconds for event in rig.of(Slept)] == [3600]
    assert float(ann.miner.difficulty) == 1e-6  # silence while asleep is nobody's fault
    assert ann.submit(share) is None
    rig.now -= 7200
    rig.room.tick(rig.now)
    assert rig.of(Slept)[-1].seconds == -7200


def test_a_forged_time_is_refused_and_changes_nothing() -> None:
    rig, ann, _ = racing()
    good = ann.miner.find()
    for seconds in (-1, 601, 7200, 2**31):
        forged = f"{int(NOW) + seconds & 0xFFFFFFFF:08x}"
        assert ann.submit([*good[:3], forged, good[4]])[1] == Answer.BAD_TIME.words
    rig.now += 300  # a job stays good for the time that passes
    assert ann.submit(good) is None
    assert rig.room.view(rig.now).members[0].refused == 4


def test_readers_hear_everything_in_order() -> None:
    rig = Rig(class_target=BLOCK_TARGET)
    rig.new_template()
    ann = rig.joined("Ann")
    found(rig, ann)
    kinds = [type(event) for event in rig.events if not isinstance(event, NewWork)]
    assert kinds == [TipChanged, Joined, ShareJudged, BlockFound]
    assert rig.room.view(rig.now).change == len(rig.events)
    rig.new_template(SECOND_TIP, 6)
    assert rig.of(TipChanged)[-1].hash_hex == SECOND_TIP
    (row,) = rig.room.view(rig.now).blocks
    assert (row.height, row.name, row.number) == (5, "", None)  # somebody else's


def test_rates_come_from_shares_with_their_sigma() -> None:
    rig = Rig(class_target=1)
    rig.new_template()
    ann = rig.joined("Ann")
    for _ in range(16):
        rig.now += 5
        assert ann.submit(ann.miner.find()) is None
    (row,) = rig.room.view(rig.now).members
    want = 16 * 2**48 / 0xFFFF / 1e6 / 80
    assert row.rate_hs == pytest.approx(want, rel=1e-5)
    assert row.rate_sigma_hs == pytest.approx(want / 4, rel=1e-5)
    assert row.share_of_work == 1.0 and row.last_share_s == rig.now
    assert all(0 < dot.place < 1 for dot in rig.room.view(rig.now).shares)
    rig.now += 1000
    assert rig.room.view(rig.now).members[0].rate_hs == 0.0


def test_rows_of_those_who_left_are_bounded() -> None:
    rig = Rig()
    for number in range(1100):
        entry = rig.room.new_entry()
        member = rig.room.enter(Kind.STRATUM, f"x{number}", "", entry, rig.now)
        rig.room.leave(member.number, rig.now)
    assert len(rig.room.view(rig.now).members) == 1024


def test_rows_are_bounded_after_scores_began_anew() -> None:
    """The books forget who left at a reset, the room keeps their seats for a while."""
    rig = Rig()
    for number in range(1200):
        entry = rig.room.new_entry()
        member = rig.room.enter(Kind.STRATUM, f"x{number}", "", entry, rig.now)
        rig.room.leave(member.number, rig.now)
        if number == 20:
            rig.room.reset(rig.now)
    members = rig.room.view(rig.now).members
    assert len(members) <= 1024 and members[-1].member.name == "x1199"


def test_who_was_removed_does_not_come_back_by_token_or_number() -> None:
    """The second Ann is called Ann 2: neither the session nor the wished name lets her in again,
    and the first one, who did nothing, may come and go."""
    rig = Rig()
    rig.new_template()
    first, second = rig.joined("Ann"), rig.joined("Ann")
    token = rig.room.token(second.number)
    rig.room.remove(second.number, rig.now)
    resumed = rig.connect()
    resumed.ask("mining.subscribe", "wire/1", token)
    assert resumed.ask("mining.authorize", "Ann", "x")["result"] is False
    assert "removed Ann 2" in resumed.miner.messages[-1]
    assert rig.joined("Ann").connection.number is None
    number = first.number
    first.leave()
    assert rig.joined("Ann").number == number
    rig.room.reset(rig.now)
    assert resumed.ask("mining.authorize", "Ann", "x")["result"] is True


def test_in_a_pause_nothing_counts_neither_then_nor_later() -> None:
    """The class's chain stands still by the teacher's order, and the refused are not blamed."""
    rig, ann, _ = racing()
    share, block = ann.miner.find(), ann.miner.find(target=BLOCK_TARGET)
    rig.room.pause(True, rig.now)
    assert ann.submit(share) == ann.submit(block) == [20, Answer.PAUSED.words, None]
    assert rig.blocks == [] and not rig.of(BlockFound)
    assert ann.miner.messages[-1] == Answer.PAUSED.words
    assert float(ann.miner.difficulty) == 1e12  # nothing is found that would be refused
    rig.room.pause(False, rig.now)
    assert ann.miner.messages[-1] == "the class goes on" and float(ann.miner.difficulty) < 1
    assert ann.submit(share)[1] == Answer.DUPLICATE.words
    assert ann.submit(block)[1] == Answer.DUPLICATE.words
    (row, _) = rig.room.view(rig.now).members
    assert (row.accepted, row.refused, row.best_hash) == (0, 2, None)


def test_no_pause_loses_a_block_that_pays_a_real_address() -> None:
    rig, ann, _ = racing(payout=bytes.fromhex("0014" + "11" * 20))
    rig.room.pause(True, rig.now)
    assert ann.submit(ann.miner.find(target=BLOCK_TARGET)) is None
    assert len(rig.blocks) == 1 and rig.blocks[0].hash_hex == rig.of(BlockFound)[0].hash_hex


def test_attack_sides_mine_on_tips_of_their_own() -> None:
    from tests.unit.pool.kit import template

    rig, ann, bob = racing()
    rig.room.template(template("aa" * 32, 8, workid="A"), rig.now, "A")
    rig.room.set_side(ann.number, "A", rig.now)
    assert ann.miner.jobs[-1].fields[1] == "aa" * 32 and ann.miner.jobs[-1].fields[8] is True
    assert bob.miner.jobs[-1].fields[1] == "11" * 32
    assert found(rig, ann) and rig.of(BlockFound)[-1].side == "A"
    before = bob.miner.find(target=BLOCK_TARGET)
    rig.room.set_side(bob.number, "A", rig.now)
    bob.submit(before)
    assert rig.of(BlockFound)[-1].side == "", "its job was of the common chain"
    assert rig.room.view(rig.now).sides["A"].height == 7


def test_nobody_enters_twice_by_one_token() -> None:
    rig = Rig()
    entry = rig.room.new_entry()
    first = rig.room.enter(Kind.BROWSER, "Ann", "", entry, rig.now)
    second = rig.room.enter(Kind.BROWSER, "Ann", "", entry, rig.now)
    assert first.number == second.number and len(rig.of(Left)) == 1
    assert rig.room.known(entry.token) == entry and rig.room.known("") is None
    rig.room.remove(first.number, rig.now)
    with pytest.raises(Refused):
        rig.room.enter(Kind.BROWSER, "ann", "", rig.room.new_entry(), rig.now)
