"""Measures the class server: 64 students at 0.2 shares a second, without and with 100 hostile ones.

The server runs in a process of its own, with the built-in node, the journal and the room that
`miner class --easy` has; the students' shares are found beforehand, so that nobody hashes while it
is timed. A row each for: the server's share of a core; what it adds to a share, from the last
byte read to the first byte written; a share's round trip as a student sees it; and from a new tip
to the last student's work. Goals: 2 % of a core, p99 20 ms, p99 50 ms. Nothing else should run.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from lab.figures.engine import quantiles

from miner.node.local import LocalChain
from miner.pool.door import Connection, Door
from miner.pool.opening import open_class
from miner.pool.work import script_of
from miner.protocol.gbt.job import MiningPlan, block_hex, make_job
from miner.protocol.gbt.template import parse_template
from miner.transport.listening import ListenAddress, bind, bound
from miner.views.listeners import Listeners
from miner.work.found import Share
from miner.work.roll import Roller
from tests.fakes.wire_miner import WireMiner, line

STUDENTS, HOSTILE = 64, 100
EVERY_S = 5.0  # 0.2 shares a second
BLOCK_HASHES = 2**40  # no share is a block
EASY = 1e-6  # 4,295 hashes a share
TIPS = 20


# --- the server's process ---------------------------------------------------------------------


def serve(pipe: Pipe, folder: Path) -> None:
    """A class that obeys: cpu, added, tip."""
    added: list[float] = []
    plain = Connection.data_received

    def timed(one: Connection, data: bytes) -> None:
        began = time.perf_counter()
        plain(one, data)
        if b"mining.submit" in data:
            added.append(time.perf_counter() - began)

    Connection.data_received = timed  # type: ignore[method-assign,assignment]
    with ExitStack() as stack:
        opened = open_class(folder, BLOCK_HASHES, False, lambda text: None, stack)
        assert opened.chain is not None
        listener = bind(ListenAddress("127.0.0.1", 0), "--port")
        door = Door(opened.service.room, listener, lambda text: None)
        listeners = Listeners([opened.service, door], print)
        listeners.start()
        pipe.send(bound(listener).port)
        while (order := pipe.recv()) != "stop":
            if order == "cpu":
                used = os.times()
                pipe.send(used.user + used.system)
            elif order == "added":
                pipe.send(list(added))
                added.clear()
            else:
                pipe.send(new_tip(opened.chain))
        listeners.stop()
        opened.service.ended.wait(5.0)


def new_tip(chain: LocalChain) -> float:
    """Somebody else's block; the moment at which the kernel had taken it."""
    template = parse_template(chain.template(), "regtest")
    plan = MiningPlan(script_of("somebody else"))
    job = make_job(template, plan, source="figure", job_id="1", clean=True)
    unit = Roller(job, random.getrandbits(60)).next(1, 0.0)
    assert unit is not None
    found = (Share.from_hit(unit, unit.versions[0], nonce) for nonce in range(4096))
    share = next(one for one in found if one is not None)
    assert chain.submit(bytes.fromhex(block_hex(share))) == ""
    return time.monotonic()


# --- students and others ----------------------------------------------------------------------


class Student:
    """One connection that submits shares found beforehand."""

    def __init__(self, number: int) -> None:
        self.miner = WireMiner(f"student {number}")
        self.ready: list[list[str]] = []
        self.sent: dict[int, float] = {}
        self.round_trips: list[float] = []
        self.newest_at = 0.0
        self.refused = 0

    async def join(self, port: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.writer.write(
            line(1, "mining.subscribe", "figure/1")
            + line(2, "mining.suggest_difficulty", EASY)
            + line(3, "mining.authorize", self.miner.user, "x")
        )
        self.task = asyncio.ensure_future(self._listen())
        while not self.miner.jobs:
            await asyncio.sleep(0.01)

    async def _listen(self) -> None:
        while data := await self.reader.read(65536):
            now = time.monotonic()
            for message in self.miner.hear(data):
                if message.get("method") == "mining.notify":
                    self.newest_at = now
                elif message.get("id") in self.sent:
                    self.round_trips.append(now - self.sent.pop(message["id"]))
                    self.refused += message["error"] is not None

    async def mine(self, seconds: float, dice: random.Random) -> None:
        number, until = 100, time.monotonic() + seconds
        await asyncio.sleep(dice.uniform(0, EVERY_S))
        while time.monotonic() < until and self.ready:
            number += 1
            self.sent[number] = time.monotonic()
            self.writer.write(line(number, "mining.submit", *self.ready.pop()))
            await asyncio.sleep(dice.uniform(0.8, 1.2) * EVERY_S)


def attack(port: int) -> None:
    """100 who flood, stall, talk junk and read nothing, until this process is ended."""

    async def one(kind: int) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                for data in behaviours(kind):
                    writer.write(data)
                    await asyncio.sleep(0.05)
                if kind != 3:  # the last kind never reads
                    await asyncio.wait_for(reader.read(1 << 16), 1.0)
                writer.close()
            await asyncio.sleep(0.2)

    async def all_of_them() -> None:
        await asyncio.gather(
            *(one(number % 4) for number in range(HOSTILE)), return_exceptions=True
        )

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # of writes to who hung up
    asyncio.run(all_of_them())


def behaviours(kind: int) -> Iterator[bytes]:
    opening = line(1, "mining.subscribe", "evil") + line(2, "mining.authorize", "evil", "x")
    if kind == 0:  # half a line, then nothing
        yield from (b'{"id":', *[b" "] * 20)
    elif kind == 1:
        yield from [b"\x00junk\n" * 20] * 5
    elif kind == 2:
        yield opening
        yield from [line(3, "mining.submit", "evil", "1", "00", "00", "00") * 30] * 5
    else:
        yield opening
        yield from [line(4, "mining.ping") * 90] * 10


async def measure(port: int, pipe: Pipe, seconds: float, hostile: bool) -> None:
    students = [Student(number) for number in range(STUDENTS)]
    await asyncio.gather(*(one.join(port) for one in students))
    for one in students:
        one.ready = [one.miner.find() for _ in range(int(seconds / EVERY_S) + 2)]
    attackers = multiprocessing.get_context("spawn").Process(target=attack, args=(port,))
    if hostile:
        attackers.start()
        await asyncio.sleep(2.0)
    try:
        await timed_phase(students, pipe, seconds, "100 hostile: " if hostile else "")
    finally:
        if hostile:
            attackers.kill()
            attackers.join()
        for one in students:
            one.task.cancel()
            one.writer.close()


async def timed_phase(students: list[Student], pipe: Pipe, seconds: float, what: str) -> None:
    ask(pipe, "added")
    used, began = ask(pipe, "cpu"), time.monotonic()
    dice = random.Random(1)
    await asyncio.gather(*(one.mine(seconds, dice) for one in students))
    await asyncio.sleep(0.5)
    core = (ask(pipe, "cpu") - used) / (time.monotonic() - began)
    trips = [trip for one in students for trip in one.round_trips]
    refused = sum(one.refused for one in students)
    print(f"{what + 'share of a core':40} {100 * core:.2f} % (goal 2 %)")
    tell(f"{what}added to a share", ask(pipe, "added"), "p99 20 ms")
    tell(f"{what}round trip", trips)
    print(f"{what + 'shares':40} {len(trips)} answered, {refused} refused")
    waits = []
    for _ in range(TIPS):
        taken = ask(pipe, "tip")
        await asyncio.sleep(0.5)
        waits.append(max(one.newest_at for one in students) - taken)
    tell(f"{what}new tip to all", waits, "p99 50 ms")


def ask(pipe: Pipe, order: str) -> Any:
    pipe.send(order)
    return pipe.recv()


def tell(what: str, seconds: list[float], goal: str = "") -> None:
    row = quantiles(seconds, what, goal)
    print(f"{what:40} {row['value']}{f' (goal {goal})' if goal else ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each of the two phases")
    options = parser.parse_args()
    for hostile in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = multiprocessing.Pipe()
            context = multiprocessing.get_context("spawn")
            server = context.Process(target=serve, args=(theirs, Path(folder)))
            server.start()
            asyncio.run(measure(ours.recv(), ours, options.seconds, hostile))
            ours.send("stop")
            server.join()
