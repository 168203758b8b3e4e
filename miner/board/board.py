"""The board: all its sources asked on one event loop, and the newest state for any reader."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace

from miner.board.place import Place
from miner.board.row import BoardState, MinerRow, totals
from miner.board.watch import Watch

AT_ONCE = 32  # questions under way


class Board:
    """Reads alone: nothing it sends changes anything. `state` is one reference, read by anyone."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.watches = [Watch(place) for place in places]
        self.state = BoardState((), totals(()), time.time(), 0)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._publish()

    async def once(self) -> BoardState:
        """Ask every source once."""
        await asyncio.gather(*(self._ask(watch) for watch in self.watches))
        return self.state

    async def run(self) -> None:
        """Ask until the task is cancelled."""
        async with asyncio.TaskGroup() as group:
            for watch in self.watches:
                group.create_task(self._follow(watch))

    async def _follow(self, watch: Watch) -> None:
        while True:
            await self._ask(watch)
            await asyncio.sleep(watch.pause_s)

    async def _ask(self, watch: Watch) -> None:
        async with self._room:
            await watch.ask()
        self._publish()

    def _publish(self) -> None:
        rows = tuple(labelled(pair for watch in self.watches for pair in watch.rows()))
        self.state = BoardState(rows, totals(rows), time.time(), self.state.change + 1)


def labelled(rows: Iterable[tuple[str, MinerRow]]) -> list[MinerRow]:
    """Each with a name of its own: the second "desk" gets its address, a third a number."""
    found: dict[str, MinerRow] = {}
    for name, row in rows:
        label, number = name, 1
        while label in found:
            label = f"{name} ({row.address})" if number == 1 else f"{name} ({row.address}) {number}"
            number += 1
        found[label] = replace(row, label=label)
    return list(found.values())
