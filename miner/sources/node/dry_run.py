"""A dry run: a node checks an unmined block of ours, so that a bug shows before one is found."""

import threading
import time
from collections.abc import Callable

from miner.errors import MinerError
from miner.protocol.gbt.job import proposal_hex, proposal_request, template_of
from miner.text import scrub
from miner.transport.rpc import Rpc
from miner.work.job import Job

HARMLESS = (None, "duplicate", "inconclusive-not-best-prevblk")  # the tip just moved


class DryRuns:
    """Beside the links' threads: a node takes seconds for a full block, and new tips come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # no thread is joined before it was started
        self._stopped = False
        self._running: dict[Rpc, threading.Thread] = {}
        self._seen: set[str] = set()

    def is_first(self, name: str) -> bool:
        """Is this the node's first template?"""
        first = name not in self._seen
        self._seen.add(name)
        return first

    @property
    def running(self) -> int:
        return len(self._running)

    def start(self, name: str, lane: Rpc, job: Job, complain: Callable[[str], None]) -> None:
        """One for this job; the lane is closed at its end."""
        thread = threading.Thread(
            target=self._propose, args=(lane, job, complain), name=f"{name} dry run", daemon=True
        )
        with self._lock:
            if self._stopped:
                return
            self._running[lane] = thread
            try:
                thread.start()
            except RuntimeError:  # the system has none left: mining matters more
                del self._running[lane]

    def stop(self, deadline: float) -> None:
        """Break what runs, and wait for it until a monotonic time."""
        with self._lock:
            self._stopped = True
            running = dict(self._running)
        for lane in running:
            lane.abort()
        for thread in running.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    def _propose(self, lane: Rpc, job: Job, complain: Callable[[str], None]) -> None:
        template = template_of(job)
        request = proposal_request(template.chain, proposal_hex(job), template.workid)
        try:
            answer = lane.call("getblocktemplate", request)
        except MinerError:
            return  # not every server has proposals; the block itself is the real test
        finally:
            lane.close()
            self._running.pop(lane, None)
        if answer not in HARMLESS:
            word = scrub(answer, 60)
            complain(f"the dry run of our block was refused: {word}; mining goes on, please report")
