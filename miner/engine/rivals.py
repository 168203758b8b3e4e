"""Blocks of ours that compete: which may be sent now. Pure bookkeeping, for the engine's thread.

A parent takes one child. So on each parent one solo block at a time waits for its verdict; the
others found meanwhile are its rivals. An accepted block makes them surplus, a refused one lets the
next of them go. A run that shall find so many blocks keeps those beyond until one before fails.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from miner.bitcoin.encoding import display_hex
from miner.sources.node.refusals import Refusals, is_easy
from miner.work.found import NO_SIGN, Answer, Share, Verdict
from miner.work.job import Job

PARENTS = 64  # blocks we found blocks on, whose fate is remembered
RIVALS = 64  # further blocks on one parent that wait for the first one's verdict
OWN = 1_024  # newest blocks of ours whose verdict is awaited

SetAside = Callable[[Share, Literal["dropped", "surplus", "not_sent"]], None]


@dataclass(slots=True)
class Parent:
    """What became of our solo blocks on one previous block."""

    asked: str = ""  # hash of the block whose verdict is awaited
    accepted: bool = False
    rivals: deque[Share] = field(default_factory=deque)


class Judged(NamedTuple):
    """What the final verdict on a block of this run means."""

    prev_hash: bytes
    won: bool  # a solo block was accepted: its parent is done
    again: list[Share]  # blocks that may be sent now


class Rivals:
    """Asks `admit` before a solo block is sent, tells `sent` and `judge` of every block."""

    def __init__(self, most_blocks: int | None, set_aside: SetAside) -> None:
        """`most_blocks`: no more than this many may be accepted; None: any number."""
        self._most_blocks, self._set_aside = most_blocks, set_aside
        self.accepted = 0  # blocks found by this run
        self._parents: OrderedDict[bytes, Parent] = OrderedDict()
        self._own: OrderedDict[str, bytes] = OrderedDict()  # our blocks: hash to parent
        self._open: dict[str, int | None] = {}  # solo blocks that may yet be accepted: height
        self._kept: deque[Share] = deque()  # blocks beyond most_blocks, should one fail
        self._refusals = Refusals()

    def admit(self, share: Share) -> bool:
        """May this solo block be sent now? If not it waits, or it is set aside."""
        prev_hash = share.unit.job.prev_hash
        parent = self._parents.setdefault(prev_hash, Parent())
        if len(self._parents) > PARENTS:
            self._discard(self._parents.popitem(last=False)[1].rivals, "not_sent")
        if parent.accepted:
            self._set_aside(share, "surplus")
        elif parent.asked:
            self._let_wait(share, parent.rivals)
        elif self._most_blocks is not None and self._claimed >= self._most_blocks:
            if len(self._kept) == RIVALS:
                self._set_aside(self._kept.popleft(), "not_sent")
            self._kept.append(share)
        else:
            parent.asked = share.hash_hex
            self._open[share.hash_hex] = share.unit.job.height
            return True
        return False

    @property
    def _claimed(self) -> int:
        return self.accepted + len(self._open)

    def _let_wait(self, share: Share, rivals: deque[Share]) -> None:
        if self._refusals.hopeless and is_easy(share.header):
            self._discard(rivals, "not_sent")  # the newest waits
        if len(rivals) < RIVALS:
            rivals.append(share)
        else:
            self._set_aside(share, "surplus")

    def sent(self, share: Share) -> None:
        """A block is on its way, to a node or a pool."""
        self._own[share.hash_hex] = share.unit.job.prev_hash
        if len(self._own) > OWN:
            self._own.popitem(last=False)

    def judge(self, verdict: Verdict) -> Judged | None:
        """None: the verdict is not final (rivals would fare no better), or of an earlier run's
        block. One without any sign of its fate keeps its chance, and holds up no other."""
        if verdict.hash_hex not in self._own:
            return None
        if not verdict.final:
            return self._pass_by(verdict)
        prev_hash = self._own.pop(verdict.hash_hex)
        self._open.pop(verdict.hash_hex, None)
        accepted = verdict.answer is Answer.ACCEPTED
        self.accepted += accepted and not verdict.of_share
        if verdict.answer is not Answer.NOT_SENT:
            self._refusals.note("" if accepted else verdict.reason or verdict.answer.value)
        parent = self._parents.get(prev_hash)
        again = [] if parent is None else self._next_of(parent, verdict.hash_hex, accepted)
        if not accepted:
            again += self._kept
            self._kept.clear()
        return Judged(prev_hash, accepted and parent is not None, again)

    def _pass_by(self, verdict: Verdict) -> Judged | None:
        if verdict.reason != NO_SIGN:
            return None
        prev_hash = self._own[verdict.hash_hex]
        self._open.pop(verdict.hash_hex, None)
        parent = self._parents.get(prev_hash)
        again = [] if parent is None else self._next_of(parent, verdict.hash_hex, accepted=False)
        return Judged(prev_hash, False, again)

    def _next_of(self, parent: Parent, judged: str, accepted: bool) -> list[Share]:
        """The rival whose turn it is after a verdict, if any."""
        if parent.asked == judged:
            parent.asked = ""
        if accepted:
            parent.accepted = True
            self._discard(parent.rivals, "surplus")
        return [parent.rivals.popleft()] if parent.rivals and not parent.asked else []

    def tip_is(self, job: Job) -> list[Share]:
        """Open blocks that the new tip left behind count no longer towards the limit; the blocks
        that may be sent for it."""
        tip, parent = job.height, display_hex(job.prev_hash)
        left = [
            name
            for name, height in self._open.items()
            if height is not None and tip is not None and height < tip and name != parent
        ]
        for name in left:
            del self._open[name]
        again = list(self._kept) if left else []
        if left:
            self._kept.clear()
        return again

    def reopen(self, prev_hash: bytes) -> bool:
        """The accepted block on this parent is lost: another one is wanted. False: none was."""
        parent = self._parents.get(prev_hash)
        if parent is None or not parent.accepted:
            return False
        parent.accepted = False
        return True

    def close(self) -> None:
        """The run is over: what waits is not sent."""
        for waiting in [self._kept, *(parent.rivals for parent in self._parents.values())]:
            self._discard(waiting, "not_sent")

    def _discard(self, shares: deque[Share], counter: Literal["surplus", "not_sent"]) -> None:
        while shares:
            self._set_aside(shares.popleft(), counter)
