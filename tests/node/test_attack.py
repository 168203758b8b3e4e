"""An attack in a class: two sides mine, the kernel reorganises, and the room hears who wins."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from miner.journal import Journal
from miner.node.service import Node
from miner.pool.document import Invitation, board
from miner.pool.door import Door
from miner.pool.opening import open_journal, own_setup
from miner.pool.record import Record
from miner.pool.recorded import parse
from miner.pool.replay import fold
from miner.pool.service import PoolService
from miner.pool.values import BlockJudged, Mode, NewWork, RoomEvent, RoomRules
from miner.sources.node.source import NodeSource
from tests.node.kit import ANYONE, Rpc
from tests.unit.pool.kit import NOW, Line


class Class:
    """A pool service on a real node; its loop runs the test's coroutine."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.node, self.folder = node, folder
        self.told: list[str] = []
        self.events: list[RoomEvent] = []
        self.late_s = 0.0  # of its clock
        source = NodeSource([own_setup(node)], ANYONE)
        journal = open_journal(folder, "class")
        rules = RoomRules("regtest")
        self.service = PoolService(
            source, journal, rules, self.told.append, lambda: time.time() + self.late_s, node.chain
        )
        self.room = self.service.room
        self.room.subscribe(self.events.append)
        self.door = Door(self.room, None, self.told.append)  # type: ignore[arg-type]

    def run(self, story: Callable[["Class"], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            stop = asyncio.Event()
            serving = asyncio.create_task(self.service.serve(stop))
            await until(lambda: bool(self.room.view(0.0).chain.tip_hash))
            try:
                await story(self)
            finally:
                stop.set()
                await serving

        asyncio.run(asyncio.wait_for(main(), 60.0))

    def joined(self, name: str) -> Line:
        one = Line(self)  # type: ignore[arg-type]
        one.miner.user = name
        one.ask("mining.subscribe", "wire/1")
        one.ask("mining.authorize", name, "x")
        return one

    async def finds(self, one: Line) -> BlockJudged:
        """A member finds a block on its newest job; the kernel's word on it."""
        await until(lambda: on_tip(self, one))
        before = len(self.events)
        assert one.submit(one.miner.find()) is None
        await until(lambda: any(isinstance(e, BlockJudged) for e in self.events[before:]))
        return next(e for e in self.events[before:] if isinstance(e, BlockJudged))

    def unsettled(self) -> int:
        """Blocks that a later run would offer again."""
        journal = Journal.open_own(self.folder, "class")
        journal.earlier.read(self.folder)
        try:
            return len(journal.left)
        finally:
            journal.close()


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.005)


@pytest.fixture
def room(node: Node, tmp_path: Path) -> Class:
    return Class(node, tmp_path / "journal")


async def attack(room: Class, *lines: Line) -> None:
    """Until the chain is split, and everybody has work on it."""
    begun = sum(line.startswith("attack: ") for line in room.told)
    room.room.set_mode(Mode.ATTACK, 0.0)
    await until(lambda: sum(line.startswith("attack: ") for line in room.told) > begun)
    await until(lambda: on_tip(room, *lines))


async def begin(room: Class) -> tuple[Line, Line]:
    """Ann on side A, Bob on side B, both with work on the block that they share."""
    ann, bob = room.joined("Ann"), room.joined("Bob")
    assert (await room.finds(ann)).accepted
    await until(lambda: room.room.view(0.0).chain.height == 1)
    room.room.set_side(ann.number, "A", 0.0)
    room.room.set_side(bob.number, "B", 0.0)
    await attack(room, ann, bob)
    return ann, bob


def on_tip(room: Class, *lines: Line) -> bool:
    """Is everybody's newest job on the tip of the own side, or else of the chain?"""
    view = room.room.view(0.0)
    for one in lines:
        member = room.room.member(one.number)
        assert member is not None
        tip = bytes.fromhex(view.sides.get(member.side, view.chain).tip_hash)[::-1]
        swapped = b"".join(tip[at : at + 4][::-1] for at in range(0, 32, 4)).hex()
        if one.miner.jobs[-1].fields[1] != swapped:
            return False
    return True


def test_a_bug_at_one_tick_is_told_and_the_room_goes_on(
    room: Class, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("a bug")

    async def story(room: Class) -> None:
        await attack(room)
        monkeypatch.setattr(room.room, "tick", broken)
        await until(lambda: "the room met a bug" in caplog.text)
        seen = len(room.events)
        room.late_s = 31.0  # templates of an attack carry the time: the next tick renews them
        await until(lambda: any(isinstance(one, NewWork) for one in room.events[seen:]))

    monkeypatch.setattr("miner.pool.service.TICK_S", 0.01)
    room.run(story)
    assert "RuntimeError: a bug" in caplog.text


def test_what_a_killed_attack_left_is_settled_at_the_next_start(room: Class, node: Node) -> None:
    """Nobody will mine on the branch that lost: its block must not be named at each start."""

    async def killed(room: Class) -> None:
        ann, bob = await begin(room)
        assert (await room.finds(ann)).accepted
        assert not (await room.finds(bob)).accepted
        room.service._attacks._on = False  # type: ignore[union-attr]  # its end is never reached

    room.run(killed)
    assert room.unsettled() == 1
    again = Class(node, room.folder)

    async def opened(room: Class) -> None:
        await until(lambda: any(isinstance(one, BlockJudged) for one in room.events))

    again.run(opened)
    (judged,) = [one for one in again.events if isinstance(one, BlockJudged)]
    assert judged.final and not judged.accepted and "its branch had less work" in judged.word
    assert again.unsettled() == 0


def test_the_side_with_more_work_wins(room: Class, rpc: Rpc) -> None:
    async def story(room: Class) -> None:
        ann, bob = await begin(room)
        first = [await room.finds(ann) for _ in range(2)]
        assert [one.accepted for one in first] == [True, True]
        second = [await room.finds(bob) for _ in range(2)]
        assert [(one.accepted, one.final) for one in second] == [(False, False)] * 2
        assert room.node.chain.tip.hash[::-1].hex() == first[1].hash_hex
        seen = len(room.events)
        last = await room.finds(bob)
        assert last.accepted
        await until(lambda: room.room.view(0.0).chain.tip_hash == last.hash_hex)
        judged = [one for one in room.events[seen:] if isinstance(one, BlockJudged)]
        assert {one.hash_hex for one in judged if one.accepted} == {
            last.hash_hex, *(one.hash_hex for one in second),
        }  # fmt: skip
        view = room.room.view(0.0)
        assert view.attack is not None
        assert (view.attack.active, view.attack.reorganised, view.attack.undone) == ("B", 1, 2)
        counted = {row.hash_hex: row.accepted for row in view.blocks}
        assert [counted[one.hash_hex] for one in (*first, *second, last)] == [
            False, False, True, True, True,
        ]  # fmt: skip
        assert {row.member.name: row.blocks for row in view.members} == {"Ann": 1, "Bob": 3}
        room.room.set_mode(Mode.SOLO, 0.0)
        await until(lambda: room.told[-1].startswith("attack over"))
        await until(lambda: on_tip(room, ann, bob))
        assert (await room.finds(ann)).accepted, "all on one chain again"

    room.run(story)
    assert rpc("getblockcount") == 5
    attack = [line for line in room.told if "side" in line]
    assert attack == [
        "attack: both sides begin on block 1; more work wins",
        "the kernel left 2 blocks for 3 others: side B wins: the kernel follows the chain "
        "with more work, 3 blocks against 2 of side A",
        "attack over: side B wins: the kernel follows the chain with more work, 3 blocks "
        "against 2 of side A",
    ]
    assert room.unsettled() == 0


def test_blocks_of_the_side_that_loses_are_settled_at_the_end(room: Class) -> None:
    async def story(room: Class) -> None:
        ann, bob = await begin(room)
        assert (await room.finds(ann)).accepted
        assert not (await room.finds(bob)).final
        late = bob.miner.find()
        room.room.set_mode(Mode.POOL, 0.0)
        await until(lambda: room.told[-1].startswith("attack over"))
        (lost,) = [
            one
            for one in room.events
            if isinstance(one, BlockJudged) and not one.accepted and one.final
        ]
        assert lost.word.startswith("its branch had less work when the attack ended")
        seen = len(room.events)
        bob.submit(late)  # a share of a job of the side, and a block; nobody follows it
        await until(lambda: any(isinstance(one, BlockJudged) for one in room.events[seen:]))

    room.run(story)
    assert room.unsettled() == 0


def test_a_recorded_attack_shows_the_same_board(room: Class) -> None:
    async def story(room: Class) -> None:
        record = Record(room.room.view(0.0))
        room.room.subscribe(record.take)
        ann, bob = await begin(room)
        assert (await room.finds(ann)).accepted
        for _ in range(2):
            await room.finds(bob)
        await until(lambda: room.room.view(0.0).chain.height == 3)
        live = board(room.room.view(NOW), Invitation("", ""))
        first, events = parse(record.dump())
        again = board(fold(first, events).view(NOW), Invitation("", ""))
        assert live["attack"]["reorganised"] == 1
        assert {**again, "change": 0} == {**live, "change": 0}

    room.run(story)


def test_a_second_attack_begins_where_the_first_ended(room: Class) -> None:
    async def story(room: Class) -> None:
        ann, bob = await begin(room)
        assert (await room.finds(bob)).accepted, "B was first this time"
        assert not (await room.finds(ann)).accepted
        room.room.set_mode(Mode.SOLO, 0.0)
        await until(lambda: room.told[-1].startswith("attack over") and on_tip(room, ann, bob))
        await attack(room, ann, bob)
        assert (await room.finds(ann)).accepted
        assert room.node.chain.tip.height == 3

    room.run(story)


def test_both_sides_begin_above_a_block_of_neither(room: Class) -> None:
    """Somebody on no side was quicker: the fork is above that block, and it stays in the chain."""

    async def story(room: Class) -> None:
        ann, bob = await begin(room)
        other = await room.finds(room.joined("Cy"))
        assert other.accepted
        await until(lambda: on_tip(room, ann, bob) and room.node.chain.tip.height == 2)
        attack = room.room.view(0.0).attack
        assert attack is not None and attack.fork_height == 2
        assert (await room.finds(ann)).accepted
        assert not (await room.finds(bob)).accepted
        assert (await room.finds(bob)).accepted
        await until(lambda: room.room.view(0.0).chain.height == 4)
        counted = {row.hash_hex: row.accepted for row in room.room.view(0.0).blocks}
        assert counted[other.hash_hex], "below both branches"

    room.run(story)


def test_a_class_that_ends_in_an_attack_leaves_nothing_open(room: Class) -> None:
    async def story(room: Class) -> None:
        ann, bob = await begin(room)
        assert (await room.finds(ann)).accepted
        assert not (await room.finds(bob)).final

    room.run(story)
    assert room.told[-1].startswith("attack over: both sides have 1 block")
    assert room.unsettled() == 0


def test_sides_get_the_time_anew_each_half_minute(room: Class) -> None:
    """Templates carry it, on testnet4 unchanged into the header."""

    async def story(room: Class) -> None:
        ann, bob = await begin(room)
        attacks = room.service._attacks
        assert attacks is not None
        for late_s, templates in ((0.0, 0), (29.0, 0), (31.0, 2), (60.0, 0), (62.0, 2)):
            room.late_s = late_s
            before = len(room.events)
            attacks.tick()
            new = [one for one in room.events[before:] if isinstance(one, NewWork)]
            assert len(new) == templates, late_s
        await until(lambda: on_tip(room, ann, bob))

    room.run(story)
