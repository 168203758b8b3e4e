"""A slow reader misses moments and never gets old ones: nothing waits for it but the newest."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from miner.state.snapshot import Snapshot
from miner.views.feed import Feed
from miner.views.web.stream import Stream
from tests.faults import fault
from tests.unit.views.web.kit import status

NOW = status().snapshot(60.0)
SCOPE = {"type": "http", "method": "GET", "headers": []}


class Reader:
    """Takes one piece of the body, then nothing until `go_on`."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.go_on, self.gone = asyncio.Event(), asyncio.Event()

    async def send(self, message: Any) -> None:
        if message.get("body"):
            self.bodies.append(message["body"])
            await self.go_on.wait()

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    def changes(self) -> list[int]:
        return [json.loads(body.split(b"data: ")[1])["change"] for body in self.bodies]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Story:
    """A stream whose run moves on when it is told to."""

    def __init__(self) -> None:
        self.now: Snapshot = NOW
        self.stream = Stream(Feed(lambda: self.now))

    async def pass_seconds(self, changes: range) -> None:
        for change in changes:
            self.now = replace(NOW, change=change)
            self.stream.tick()
            await settle()


@fault("A14")
def test_the_newest_wins() -> None:
    async def tell() -> Reader:
        story, reader = Story(), Reader()
        story.now = replace(NOW, change=100)
        serving = asyncio.ensure_future(story.stream(SCOPE, reader.receive, reader.send))
        await settle()
        await story.pass_seconds(range(101, 131))  # half a minute in which it takes nothing
        assert reader.changes() == [100]
        reader.go_on.set()
        await settle()
        await story.pass_seconds(range(131, 132))
        reader.gone.set()
        await asyncio.wait_for(serving, 5)
        assert story.stream.readers == 0
        return reader

    changes = asyncio.run(tell()).changes()
    assert changes[0] == 100 and changes[-1] == 131
    assert all(101 < change for change in changes[1:]), "an old moment"
    assert len(changes) <= 3


@fault("A14")
def test_all_readers_get_the_same_bytes_and_the_end() -> None:
    async def tell() -> list[Reader]:
        story, readers = Story(), [Reader() for _ in range(3)]
        for reader in readers:
            reader.go_on.set()
        calls = [story.stream(SCOPE, one.receive, one.send) for one in readers]
        serving = asyncio.gather(*calls)
        await settle()
        await story.pass_seconds(range(200, 204))
        story.stream.close()
        await asyncio.wait_for(serving, 5)
        return readers

    first, *others = asyncio.run(tell())
    assert first.changes()[-1] == 203
    for reader in others:
        assert [a is b for a, b in zip(reader.bodies[1:], first.bodies[1:], strict=True)] == [
            True
        ] * (len(first.bodies) - 1)
