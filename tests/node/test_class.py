"""A class on the real kernel, in one loop: opened, mined on, closed, opened again."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from miner.errors import NodeError
from miner.pool.door import Door
from miner.pool.opening import open_class
from miner.pool.room import Room
from miner.pool.values import RoomView
from tests.unit.pool.kit import Line

pytest.importorskip("pbk", reason="no kernel wheel for this Python")

HASHES = 4096  # a block
TARGET = 2**256 // HASHES - 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


def reached(room: Room, height: int) -> bool:
    return room.view(time.time()).chain.height >= height


async def mined(folder: Path, names: list[str], fresh: bool = False) -> tuple[RoomView, RoomView]:
    """The room as it opens, and after each of these has found a block, one after the other."""
    with ExitStack() as stack:
        told: list[str] = []
        opened = open_class(folder, HASHES, fresh, told.append, stack)
        room, stop = opened.service.room, asyncio.Event()
        serving = asyncio.ensure_future(opened.service.serve(stop))
        door = Door(room, None, told.append)  # type: ignore[arg-type]
        await until(lambda: room.view(time.time()).chain.tip_hash != "")
        before = room.view(time.time())
        for name in names:
            one = Line(SimpleNamespace(door=door))  # type: ignore[arg-type]
            one.miner.user = name
            one.ask("mining.subscribe", "wire/1")
            one.ask("mining.suggest_difficulty", 1e-6)
            one.ask("mining.authorize", name, "x")
            height = room.view(time.time()).chain.height + 1
            assert one.submit(one.miner.find(target=TARGET)) is None
            await until(partial(reached, room, height))
            await until(lambda: room.view(time.time()).blocks[-1].accepted)
            one.leave()
        after = room.view(time.time())
        stop.set()
        await serving
        return before, after


def test_a_class_that_is_opened_again_knows_its_blocks_and_finders(tmp_path: Path) -> None:
    room = tmp_path / "room"
    before, after = asyncio.run(mined(room, ["Ann", "Bób", "Ann"]))
    assert before.chain.height == 0 and after.chain.height == 3
    assert [(row.height, row.name) for row in after.blocks] == [(1, "Ann"), (2, "Bób"), (3, "Ann")]
    again, more = asyncio.run(mined(room, ["Cy"]))
    assert again.chain.height == 3 and again.chain.tip_hash == after.chain.tip_hash
    assert [(row.height, row.name) for row in again.blocks] == [(1, "Ann"), (2, "Bób"), (3, "Ann")]
    assert more.blocks[-1].name == "Cy" and more.chain.height == 4
    assert not list((room / "journal").glob("*.journal"))  # every block was accepted
    fresh, _ = asyncio.run(mined(room, [], fresh=True))
    assert fresh.chain.height == 0 and fresh.blocks == ()


async def journalled(folder: Path) -> str:
    """Find a block whose class dies after it was written, before it was sent; its hash."""
    with ExitStack() as stack:
        opened = open_class(folder, HASHES, False, print, stack)
        service, stop = opened.service, asyncio.Event()
        service._source.send = lambda block: None  # type: ignore[method-assign]
        serving = asyncio.ensure_future(service.serve(stop))
        await until(lambda: service.room.view(time.time()).chain.tip_hash != "")
        one = Line(SimpleNamespace(door=Door(service.room, None, print)))  # type: ignore[arg-type]
        one.miner.user = "Ann"
        one.ask("mining.subscribe", "wire/1")
        one.ask("mining.suggest_difficulty", 1e-6)
        one.ask("mining.authorize", "Ann", "x")
        assert one.submit(one.miner.find(target=TARGET)) is None
        await until(lambda: bool(service._blocks._journal.waiting))
        (block,) = service._blocks._journal.waiting
        stop.set()
        await serving
        return block.hash_hex


def test_a_block_that_was_only_written_is_sent_by_the_next_start(tmp_path: Path) -> None:
    hash_hex = asyncio.run(journalled(tmp_path))

    async def again() -> RoomView:
        with ExitStack() as stack:
            opened = open_class(tmp_path, HASHES, False, print, stack)
            room, stop = opened.service.room, asyncio.Event()
            serving = asyncio.ensure_future(opened.service.serve(stop))
            await until(lambda: reached(room, 1))
            stop.set()
            await serving
            return room.view(time.time())

    view = asyncio.run(again())
    assert (view.chain.height, view.chain.tip_hash) == (1, hash_hex)
    assert not list((tmp_path / "journal").glob("*.journal"))


def test_fresh_removes_nothing_but_what_a_class_made(tmp_path: Path) -> None:
    """Somebody may name a folder in which a folder "journal" is a diary."""
    asyncio.run(journalled(tmp_path))
    diary = tmp_path / "journal" / "2026.txt"
    diary.write_text("dear diary")
    assert len(list((tmp_path / "journal").glob("*.journal"))) == 1
    with ExitStack() as stack:
        opened = open_class(tmp_path, HASHES, True, print, stack)
        assert "no block yet" in opened.about
        assert len(opened.service._blocks.replay.earlier) == 0
    assert diary.read_text() == "dear diary"


def test_a_folder_is_one_classs_own(tmp_path: Path) -> None:
    with ExitStack() as stack:
        opened = open_class(tmp_path, HASHES, False, print, stack)
        assert opened.chain is not None
        with pytest.raises(NodeError, match="in use"), ExitStack() as second:
            open_class(tmp_path, HASHES, False, print, second)
    with pytest.raises(NodeError), ExitStack() as stack:
        open_class(tmp_path, None, False, print, stack)  # of another chain


def test_a_full_class_shows_difficulty_1_and_promises_no_retarget(tmp_path: Path) -> None:
    async def run() -> RoomView:
        with ExitStack() as stack:
            opened = open_class(tmp_path, None, False, lambda text: None, stack)
            stop = asyncio.Event()
            serving = asyncio.ensure_future(opened.service.serve(stop))
            room = opened.service.room
            await until(lambda: room.view(time.time()).chain.tip_hash != "")
            one = Line(SimpleNamespace(door=Door(room, None, print)))  # type: ignore[arg-type]
            one.ask("mining.subscribe", "wire/1")
            one.ask("mining.authorize", "Ann", "x")
            assert one.miner.jobs[-1].fields[6] == "1d00ffff"
            assert "4,031" in opened.about
            stop.set()
            await serving
            return room.view(time.time())

    view = asyncio.run(run())
    assert view.chain.difficulty == view.chain.block_difficulty == 1.0
    assert view.chain.name == "testnet4" and "exist only here" in view.chain.words
