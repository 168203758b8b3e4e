"""A source whose blocks are looked for at a node of one's own: the chain has the last word."""

import threading
from dataclasses import replace

from miner.protocol.sv2.template import KIND as TEMPLATE_KIND
from miner.protocol.sv2.template import whole_block
from miner.sources.base import SourceSink, SourceState, WorkSource
from miner.sources.node.witness import LACKS_S, Sight, Witness
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import Job

HAS = "{} has it in its best chain"
LACKS = "{} said yes to block {}{}, but {} does not have this block after {:.0f} s"
MOST_TAKEN = 1_000


class WatchedSource:
    """A WorkSource and its sink, between another source and the engine.

    A block that the node has is accepted, whatever the source says or keeps to itself. One that a
    pool said yes to and the node lacks is an alarm.
    """

    def __init__(self, source: WorkSource, witness: Witness) -> None:
        self._source, self._witness = source, witness
        self._sink: SourceSink | None = None
        self._lock = threading.Lock()  # guards what follows
        self._taken: dict[str, Verdict] = {}  # a pool said yes: by hash
        self._absent: dict[str, FoundBlock] = {}  # the node lacked it when we asked
        self._seen: dict[str, FoundBlock] = {}  # it has it, and the pool has not answered

    @property
    def name(self) -> str:
        return self._source.name

    def start(self, sink: SourceSink) -> None:
        self._sink = sink
        self._witness.start(self)
        self._source.start(self)

    def submit(self, share: Share) -> None:
        self._source.submit(share)

    def pack(self, share: Share) -> FoundBlock:
        return self._source.pack(share)

    def send(self, block: FoundBlock) -> None:
        """To the source; the node looks out for it."""
        self._source.send(block)
        whole = whole_block(block) if block.kind == TEMPLATE_KIND else None
        self._witness.watch(replace(block, payload="", origin=None), whole)

    def stop(self, grace_s: float) -> None:
        self._source.stop(grace_s)
        self._witness.stop()

    # --- from the source, on its threads ----------------------------------------------------

    def job(self, job: Job) -> None:
        if self._sink is not None:
            self._sink.job(job)

    def state(self, state: SourceState) -> None:
        if self._sink is not None:
            self._sink.state(state)

    def alarm(self, text: str) -> None:
        """Of the source, or of the witness."""
        if self._sink is not None:
            self._sink.alarm(text)

    def verdict(self, verdict: Verdict) -> None:
        if self._sink is not None:
            self._sink.verdict(verdict)
        if not verdict.is_block:
            return
        name = verdict.hash_hex
        with self._lock:
            seen = self._seen.pop(name, None)
            taken = verdict.of_share and verdict.answer is Answer.ACCEPTED
            if taken and seen is None:
                self._taken[name] = verdict
                bound(self._taken)
            absent = self._absent.pop(name, None) if taken else None
        if seen is not None and (taken or not verdict.final):
            self._accept(seen)
        if absent is not None:
            self._lacks(verdict)

    # --- from the witness, on its thread ----------------------------------------------------

    def seen(self, block: FoundBlock, sight: Sight) -> None:
        """What the node says of a block."""
        name = block.hash_hex
        with self._lock:
            taken = (
                self._taken.pop(name, None) if sight is Sight.IN_CHAIN else self._taken.get(name)
            )
            if taken is None:
                known = self._seen if sight is Sight.IN_CHAIN else self._absent
                known[name] = block
                bound(known)
        if sight is Sight.IN_CHAIN and (taken is not None or block.kind == TEMPLATE_KIND):
            self._accept(block)
        elif taken is not None:
            self._lacks(taken)

    def _accept(self, block: FoundBlock) -> None:
        if self._sink is not None:
            words = HAS.format(self._witness.name)
            self._sink.verdict(
                Verdict(
                    block.source, block.hash_hex, Answer.ACCEPTED, True, "", words, block.height
                )
            )

    def _lacks(self, taken: Verdict) -> None:
        height = "" if taken.height is None else f"{taken.height} "
        self.alarm(LACKS.format(taken.source, height, taken.hash_hex, self._witness.name, LACKS_S))


def bound(table: dict[str, Verdict] | dict[str, FoundBlock]) -> None:
    """The oldest beyond the limit gives way."""
    while len(table) > MOST_TAKEN:
        del table[next(iter(table))]
