"""What becomes of our blocks at several nodes: accepted by one is accepted, dead is what each says.

A ruling is one node's word on a block; the verdict is what follows from all of them.
"""

import time
from collections.abc import Set
from dataclasses import dataclass, field

from miner.bitcoin.target import difficulty, target_from_nbits
from miner.protocol.gbt.verdicts import Judgement, Ruling
from miner.work.found import Answer, FoundBlock, Verdict

SETTLED_KEPT = 1000  # hashes remembered so that a late answer is not counted twice
STALE_WORDS = ("stale", "stale-prevblk", "stale-work", "unknown-work")


@dataclass(slots=True)
class _Sent:
    """A block on its way."""

    at: float = field(default_factory=time.monotonic)
    dead: dict[str, Judgement] = field(default_factory=dict)  # by node: refused, or not asked
    elsewhere: set[str] = field(default_factory=set)  # nodes that do not know its parent

    @property
    def last_word(self) -> Judgement:
        """Of the nodes that refused it."""
        return list(self.dead.values())[-1]


class Fates:
    """Every method but `open` is called under the source's lock."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: dict[str, _Sent] = {}
        self._settled: dict[str, Answer] = {}

    def open(self, block: FoundBlock) -> None:
        """It goes out now, perhaps again. Needs no lock: one step."""
        self._open.setdefault(block.hash_hex, _Sent()).elsewhere.clear()

    def is_open(self, block: FoundBlock) -> bool:
        """Is it on its way already?"""
        return block.hash_hex in self._open

    @property
    def open_count(self) -> int:
        return len(self._open)

    def is_accepted(self, block: FoundBlock) -> bool:
        return self._settled.get(block.hash_hex) is Answer.ACCEPTED

    def rule(
        self, node: str, block: FoundBlock, judgement: Judgement, reached: Set[str]
    ) -> Verdict | None:
        """The verdict after this ruling, when it is news. `reached`: the nodes that are there."""
        before = self._settled.get(block.hash_hex)
        sent = self._open.get(block.hash_hex) or _Sent()
        if before is None:
            self._open[block.hash_hex] = sent
        answer = _answer(node, sent, judgement, reached)
        late = before is not None and answer is not Answer.ACCEPTED
        if before is Answer.ACCEPTED or late or answer is None:
            return None
        if answer not in (Answer.UNKNOWN, Answer.PENDING):
            self._remember(block.hash_hex, answer)
        if judgement.ruling is Ruling.ELSEWHERE and sent.dead:
            judgement = sent.last_word
        return self.verdict(block, answer, judgement, time.monotonic() - sent.at)

    def verdict(
        self, block: FoundBlock, answer: Answer, judgement: Judgement, latency_s: float | None
    ) -> Verdict:
        nbits = int.from_bytes(block.header[72:76], "little")
        return Verdict(
            source=self._source,
            hash_hex=block.hash_hex,
            answer=answer,
            is_block=True,
            reason=judgement.reason,
            explanation=judgement.explanation,
            height=block.height,
            latency_s=latency_s,
            difficulty=difficulty(target_from_nbits(nbits)),
        )

    def _remember(self, hash_hex: str, answer: Answer) -> None:
        self._settled[hash_hex] = answer
        self._open.pop(hash_hex, None)
        while len(self._settled) > SETTLED_KEPT:
            del self._settled[next(iter(self._settled))]


def _answer(node: str, sent: _Sent, judgement: Judgement, reached: Set[str]) -> Answer | None:
    """What all nodes' rulings come to; None: wait for the others."""
    if judgement.ruling is Ruling.ACCEPTED:
        return Answer.ACCEPTED
    if judgement.ruling is Ruling.ELSEWHERE:
        sent.elsewhere.add(node)
    elif judgement.ruling in (Ruling.DEAD, Ruling.NOT_SENT):
        sent.dead[node] = judgement
    else:
        return Answer.UNKNOWN if judgement.ruling is Ruling.UNKNOWN else Answer.PENDING
    if reached - sent.dead.keys() - sent.elsewhere:
        return None
    if not sent.dead:
        return Answer.PENDING
    if sent.last_word.ruling is Ruling.NOT_SENT:
        return Answer.NOT_SENT
    return Answer.STALE if sent.last_word.reason in STALE_WORDS else Answer.REJECTED
