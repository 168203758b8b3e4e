"""Sixty-four students on real sockets, hostile ones between them: everybody has work, in time."""

import asyncio
import json
import time
from contextlib import suppress

from miner.pool.door import Door
from miner.transport.listening import ListenAddress, bind, bound
from tests.fakes.wire_miner import WireMiner, line
from tests.unit.pool.kit import SECOND_TIP, Rig, template

STUDENTS, HOSTILE = 64, 24


class Student:
    """A miner of the wire on a socket."""

    def __init__(self, number: int) -> None:
        self.miner = WireMiner(f"student {number}")

    async def join(self, port: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.writer.write(
            line(1, "mining.subscribe", "test/1")
            + line(2, "mining.suggest_difficulty", 1e-6)
            + line(3, "mining.authorize", self.miner.user, "x")
        )
        await self.until(lambda: bool(self.miner.jobs))

    async def until(self, true: object) -> None:
        assert callable(true)
        async with asyncio.timeout(10):
            while not true():
                data = await self.reader.read(65536)
                assert data, "the server hung up"
                self.miner.hear(data)

    async def share(self) -> bool:
        self.writer.write(line(9, "mining.submit", *self.miner.find()))
        await self.until(lambda: 9 in self.miner.replies)
        return self.miner.replies.pop(9)["result"] is True


async def hostile(number: int, port: int) -> None:
    """Floods, junk, silence and half lines; whatever comes back is not read."""
    kinds = (
        b"\x00junk\n" * 50,
        b'{"id":1,"method":"mining.submit","params":["a","1","00","00","00"]}\n' * 300,
        b'{"id":1',
        b"x" * 20_000,
    )
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(kinds[number % len(kinds)])
        await asyncio.sleep(0.3)
        writer.close()


def test_everybody_has_work_and_shares_are_answered() -> None:
    rig = Rig(class_target=1)
    rig.new_template()

    async def run() -> None:
        listener = bind(ListenAddress("127.0.0.1", 0), "--port")
        port, stop = bound(listener).port, asyncio.Event()
        door = Door(rig.room, listener, rig.told.append)
        serving = asyncio.ensure_future(door.serve(stop))
        students = [Student(number) for number in range(STUDENTS)]
        await asyncio.gather(*(one.join(port) for one in students))
        attackers = [asyncio.ensure_future(hostile(n, port)) for n in range(HOSTILE)]
        assert len({one.miner.extranonce1 for one in students}) == STUDENTS
        assert all(await asyncio.gather(*(one.share() for one in students)))
        rig.room.template(template(SECOND_TIP, 6, time.time()), time.time())
        await asyncio.gather(
            *(one.until(lambda one=one: len(one.miner.jobs) >= 2) for one in students)
        )
        assert {one.miner.jobs[-1].fields[1] for one in students} == {SECOND_TIP}
        assert all(one.miner.jobs[-1].fields[8] for one in students)
        stop.set()
        await asyncio.gather(serving, *attackers)
        for one in students:
            one.writer.close()

    rig.now = time.time()
    asyncio.run(run())
    rows = rig.room.view(time.time()).members
    assert sum(row.accepted for row in rows) == STUDENTS
    assert any("flood" in text for text in rig.told)


def test_a_late_reader_gets_whole_lines() -> None:
    """Many notifies wait in the socket while a student's computer is busy."""
    rig = Rig(class_target=1)
    rig.new_template()

    async def run() -> None:
        listener = bind(ListenAddress("127.0.0.1", 0), "--port")
        stop = asyncio.Event()
        serving = asyncio.ensure_future(Door(rig.room, listener, rig.told.append).serve(stop))
        student = Student(1)
        await student.join(bound(listener).port)
        for number in range(30):
            rig.room.template(template(f"{number:02x}" * 32, 6 + number, rig.now), rig.now)
        await asyncio.sleep(0.05)
        await student.until(lambda: len(student.miner.jobs) == 31)
        assert json.dumps(student.miner.lines)
        stop.set()
        await serving
        student.writer.close()

    rig.now = time.time()
    asyncio.run(run())
