"""A block of the room: on disk before it is sent, one a parent, never lost, judged by the node."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miner.journal import Journal
from miner.pool.blocks import Blocks
from miner.pool.work import script_of
from miner.protocol.gbt.job import MiningPlan
from miner.sources.node.jobs import Jobs
from miner.work.found import Answer, FoundBlock, Share, Verdict
from tests.unit.pool.kit import Rig

TARGET = 2**256 // 2**12


class Node:
    """A source that notes what it gets, and in which order with the disk."""

    name = "node"

    def __init__(self, log: list[str]) -> None:
        self.log, self.sent = log, list[FoundBlock]()
        self.jobs = Jobs("node", MiningPlan(script_of("x")), time.time)

    def start(self, sink: Any) -> None: ...

    def submit(self, share: Share) -> None: ...

    def stop(self, grace_s: float) -> None: ...

    def pack(self, share: Share) -> FoundBlock:
        return self.jobs.pack(share)

    def send(self, block: FoundBlock) -> None:
        self.log.append("sent")
        self.sent.append(block)


class Scene:
    """Blocks between a journal and a node, inside a running loop."""

    def __init__(self, folder: Path) -> None:
        self.log: list[str] = []
        self.told: list[str] = []
        self.words: list[tuple[str, bool, str, bool]] = []
        self.node = Node(self.log)
        self.journal = Journal.open_own(folder, "test")
        self.journal.earlier.read(folder)
        append = self.journal.append

        def noted(*blocks: FoundBlock) -> None:
            append(*blocks)
            self.log.append("written")

        self.journal.append = noted  # type: ignore[method-assign]
        self.blocks = Blocks(self.node, self.journal, self._judged, self.told.append)
        self.blocks.start(asyncio.get_running_loop())

    def _judged(self, hash_hex: str, accepted: bool, word: str, final: bool, now: float) -> None:
        self.words.append((hash_hex, accepted, word, final))

    def answer(self, answer: Answer, reason: str = "", number: int = -1) -> None:
        name = self.node.sent[number].hash_hex
        self.blocks.verdict(Verdict("node", name, answer, is_block=True, reason=reason))

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():
                await asyncio.sleep(0.002)


def shares(count: int) -> list[Share]:
    """Blocks of one miner, on one parent."""
    rig = Rig(class_target=TARGET)
    rig.new_template()
    one = rig.joined()
    while len(rig.blocks) < count:
        one.submit(one.miner.find(target=TARGET))
    return rig.blocks


def test_the_journal_has_it_before_the_node(tmp_path: Path) -> None:
    async def run() -> None:
        scene, (share,) = Scene(tmp_path), shares(1)
        scene.blocks.send(share)
        await scene.until(lambda: bool(scene.node.sent))
        assert scene.log == ["written", "sent"]
        assert [block.hash_hex for block in scene.journal.waiting] == [share.hash_hex]
        assert scene.node.sent[0].payload.startswith(share.header.hex())
        scene.answer(Answer.ACCEPTED)
        await scene.until(lambda: not scene.journal.waiting)
        assert scene.words == [(share.hash_hex, True, "", True)]
        scene.blocks.close()

    asyncio.run(run())


def test_on_a_parent_one_block_waits_at_a_time(tmp_path: Path) -> None:
    async def run() -> None:
        scene, (first, second, third) = Scene(tmp_path), shares(3)
        for share in (first, second, third):
            scene.blocks.send(share)
        await scene.until(lambda: bool(scene.node.sent))
        assert [block.hash_hex for block in scene.node.sent] == [first.hash_hex]
        scene.answer(Answer.REJECTED, "bad-cb-amount")
        await scene.until(lambda: len(scene.node.sent) == 2)
        assert scene.words[-1][:2] == (first.hash_hex, False)
        assert "bad-cb-amount" in scene.words[-1][2]
        scene.answer(Answer.ACCEPTED)
        assert scene.words[-2:] == [
            (second.hash_hex, True, "", True),
            (third.hash_hex, False, "another block at this height was first", True),
        ]
        scene.blocks.close()

    asyncio.run(run())


def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    async def run() -> None:
        scene, (share,) = Scene(tmp_path), shares(1)
        over = threading.Event()
        scene.journal.append = lambda *_: over.wait(10)  # type: ignore[method-assign,assignment]
        scene.blocks.send(share)
        await scene.until(lambda: bool(scene.node.sent))
        assert not over.is_set()
        over.set()
        assert "keeps block" in scene.told[0]
        scene.blocks.close()
        assert len(scene.node.sent) == 1

    asyncio.run(run())


def test_a_full_disk_loses_no_block(tmp_path: Path) -> None:
    async def run() -> None:
        scene, (share,) = Scene(tmp_path), shares(1)

        def full(*_: FoundBlock) -> None:
            raise OSError(28, "No space left on device")

        scene.journal.append = full  # type: ignore[method-assign]
        scene.blocks.send(share)
        await scene.until(lambda: bool(scene.node.sent))
        assert "No space left on device" in scene.told[0]
        assert scene.told[1].startswith(f"rescue {share.hash_hex} {share.header.hex()}")
        scene.blocks.close()

    asyncio.run(run())


def test_what_a_killed_class_left_is_offered_again(tmp_path: Path) -> None:
    async def first() -> str:
        scene, (share,) = Scene(tmp_path), shares(1)
        scene.blocks.send(share)
        await scene.until(lambda: bool(scene.node.sent))
        scene.blocks._disk.close(1.0)
        os.close(scene.journal._fd)  # as a kill does it: nothing is settled, the lock is gone
        return share.hash_hex

    async def second(name: str) -> None:
        scene = Scene(tmp_path)
        scene.blocks.tick()
        assert [block.hash_hex for block in scene.node.sent] == [name]
        scene.answer(Answer.ACCEPTED)
        await scene.until(lambda: not scene.journal.waiting)
        assert scene.words == [(name, True, "", True)]
        scene.blocks.close()

    name = asyncio.run(first())
    asyncio.run(second(name))


@pytest.mark.parametrize("answer", [Answer.PENDING, Answer.UNKNOWN])
def test_a_word_that_is_not_final_keeps_the_block(tmp_path: Path, answer: Answer) -> None:
    async def run() -> None:
        scene, (share,) = Scene(tmp_path), shares(1)
        scene.blocks.send(share)
        await scene.until(lambda: bool(scene.node.sent))
        scene.answer(answer, "inconclusive")
        assert scene.words[-1][1] is False and scene.words[-1][3] is False
        assert scene.journal.waiting
        scene.blocks.close()

    asyncio.run(run())
