"""The room at work: its chain's side and its clock, as one service of the listeners.

A node gives templates and judges blocks, over RPC as in solo mining: the built-in one of a class,
or any Bitcoin Core of a home. The source's threads only hand over to the loop.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from miner.errors import MinerError
from miner.journal import Journal
from miner.node.local import LocalChain
from miner.pool.attack import LOST, Attacks
from miner.pool.blocks import Blocks
from miner.pool.room import Room
from miner.pool.values import RoomRules
from miner.protocol.gbt.job import template_of
from miner.sources.base import Health, SourceState, WorkSource
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job

log = logging.getLogger(__name__)

TICK_S = 1.0
STOP_S = 1.0  # for blocks under way


class PoolService:
    """A service, and the sink of its source. `room` belongs to the listeners' thread."""

    def __init__(
        self,
        source: WorkSource,
        journal: Journal,
        rules: RoomRules,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        chain: LocalChain | None = None,
    ) -> None:
        """`tell`: a line for the teacher's screen. `chain`: of a node in this process, which alone
        can be split for an attack."""
        self.room = Room(rules, self._send, os.urandom, clock())
        self.fatal: MinerError | None = None  # why nothing can be mined: the command ends with it
        self._source, self._tell, self._clock = source, tell, clock
        self._blocks = Blocks(source, journal, self.room.block_judged, tell)
        self._attacks: Attacks | None = None
        if chain is not None:
            self._attacks = Attacks(chain, self.room, self._blocks, tell, clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._said = ""
        self.ended = threading.Event()  # everything is written and closed

    async def serve(self, stop: asyncio.Event) -> None:
        """Until `stop`; then blocks under way get a moment."""
        self._loop = asyncio.get_running_loop()
        self._blocks.start(self._loop)
        unsplit = self._attacks.start(self._hand_over) if self._attacks else None
        self._source.start(self)
        ticking = asyncio.ensure_future(self._tick())
        try:
            await stop.wait()
        finally:
            ticking.cancel()
            if unsplit is not None:
                unsplit()
            await asyncio.to_thread(self._source.stop, STOP_S)
            await asyncio.sleep(0)  # the last verdicts
            self._blocks.close()
            self.ended.set()

    # --- SourceSink: on the source's threads --------------------------------------------------
    def job(self, job: Job) -> None:
        self._hand_over(self._job, job)

    def verdict(self, verdict: Verdict) -> None:
        self._hand_over(self._verdict, verdict)

    def state(self, state: SourceState) -> None:
        self._hand_over(self._state, state)

    def alarm(self, text: str) -> None:
        self._hand_over(self._tell, text)

    # --- in the loop --------------------------------------------------------------------------
    def _hand_over(self, call: Callable[..., None], *args: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(safely, call, *args)

    def _job(self, job: Job) -> None:
        if job.reopens:
            self._blocks.reopen(job.prev_hash)
        self._blocks.replay.job(job)
        self.room.template(template_of(job), self._clock())

    def _verdict(self, verdict: Verdict) -> None:
        """On a class's own chain nobody mines on a side branch but in an attack, which judges its
        blocks itself: what one that was broken off left there stays behind."""
        on_branch = verdict.answer is Answer.PENDING and verdict.reason == "inconclusive"
        if on_branch and self._attacks is not None:
            verdict = replace(verdict, answer=Answer.STALE, reason=LOST)
        self._blocks.verdict(verdict)

    def _state(self, state: SourceState) -> None:
        if isinstance(state.fatal, MinerError):
            self.fatal = state.fatal
        own = self._attacks is not None and state.health is Health.READY
        if state.text != self._said and not own:  # of the class's own node only trouble is news
            self._said = state.text
            self._tell(state.text)

    def _send(self, share: Share) -> None:
        if self._attacks is None or not self._attacks.takes(share):
            self._blocks.send(share)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            safely(self.room.tick, self._clock())
            safely(self._blocks.tick)
            if self._attacks is not None:
                safely(self._attacks.tick)


def safely(call: Callable[..., None], *args: object) -> None:
    """A bug of ours in one thing: the others go on, and it is not silent."""
    try:
        call(*args)
    except Exception:
        log.exception("the room met a bug at %s", call.__qualname__)
