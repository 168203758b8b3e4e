"""Block proposals (BIP 23), judged by the kernel on a scratch chainstate.

The kernel cannot test a block without keeping it, so proposals go to a second, in-memory chainstate
that follows the real one. A proposal's nonce is ground first: two tries on regtest; chains where it
costs more have no judge. When an earlier proposal already stands at its height, empty blocks are
put on top until the new branch has more work: then the kernel connects the proposal, and that is
the verdict.
"""

import shutil
import struct
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import build_coinbase
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import HEADER_BYTES, Header
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import Transaction, TxOut
from miner.node.chain import Chainstate, KernelFailed
from miner.node.index import MEDIAN_SPAN, Row
from miner.node.state import NodeState, block_hash_of

MAX_LEAD = 10  # blocks the scratch may be ahead before a new one is made
EAGER_HEIGHT = 500  # from here on the scratch is made at start: 5,000 blocks take it 8 s
FOLLOW_S = 1.0  # the scratch looks for new blocks at least so often
SCRATCH_PREFIX = "scratch-"
NBITS_OFFSET, NONCE_OFFSET = 72, 76


class Scratch:
    """An in-memory chainstate that has seen the real chain up to some point."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._path = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=folder))
        self.chain = Chainstate(self._path, kind, in_memory=True)
        self._fed = {self.chain.hash_at(0)}

    def follow(self, state: NodeState, closing: threading.Event) -> None:
        """Take every block of the real chain that is not here yet, until `closing`."""
        with state.lock:
            missing = []
            for row in reversed(state.index.active):
                if row.hash in self._fed:
                    break
                missing.append(row)
        for row in reversed(missing):
            if closing.is_set():
                return
            self.chain.take_from(state.chain, row.hash)
            self._fed.add(row.hash)
            if len(missing) > 100:
                time.sleep(0)  # a long way to catch up: let submitblock have the kernel's lock

    def close(self) -> None:
        self.chain.close()
        shutil.rmtree(self._path, ignore_errors=True)


class ProposalJudge:
    """Says what submitblock would say of a block, work apart."""

    def __init__(self, state: NodeState, folder: Path) -> None:
        self._state, self._folder = state, folder
        self._lock = threading.Lock()
        self._scratch: Scratch | None = None  # 35 MB: made for the first proposal
        self._next: Scratch | None = None
        self._rebuilding: threading.Thread | None = None
        self._following: threading.Thread | None = None
        self._closing = threading.Event()
        self._nbits = state.rules.difficulty.limit  # of every block: such chains never retarget
        self._nonce = 0  # never starts over, so that no two ground proposals have one hash

    def start(self) -> None:
        """Begin to catch up with a long chain, so that its first proposal need not."""
        if self._state.tip.height > EAGER_HEIGHT:
            self._follow_from_now()

    def judge(self, raw: bytes) -> str:
        """ "" when the block would be accepted, else the BIP 22 word.

        Raises Undecodable, KernelFailed (see chain.py).
        """
        passes_alone = self._state.chain.check(raw)
        if word := self._known(block_hash_of(raw), raw):
            return word
        nbits = int.from_bytes(raw[NBITS_OFFSET:NONCE_OFFSET], "little")
        if nbits != self._nbits and passes_alone:
            return "bad-diffbits"  # its work cannot be ground; the next check would say this
        with self._lock:
            scratch = self._caught_up()
            if self._closing.is_set():
                raise KernelFailed("the node is stopping")
            ground = self._ground(raw)
            while scratch.chain.known_height(block_hash_of(ground)) is not None:
                ground = self._ground(raw)  # it came out as a block just mined from this proposal
            word = self._connect(scratch.chain, ground)
            if scratch.chain.height - self._state.tip.height > MAX_LEAD:
                self._rebuild()
            return word

    def close(self) -> None:
        """Free the scratch; a rebuild under way ends early."""
        with self._state.changed:
            self._closing.set()
            self._state.changed.notify_all()
        for thread in (self._rebuilding, self._following):
            if thread:
                thread.join()
        with self._lock:
            for scratch in (self._scratch, self._next):
                if scratch:
                    scratch.close()
            self._scratch = self._next = None

    def _known(self, block_hash: bytes, raw: bytes) -> str:
        """What Bitcoin Core answers before it looks at the content; "" to go on."""
        with self._state.lock:
            row = self._state.find_row(block_hash)
            if block_hash in self._state.failed:
                return "duplicate-invalid"
            if row is not None:
                return "duplicate" if self._state.index.is_active(row) else "duplicate-inconclusive"
            if self._state.chain.known_height(block_hash) is not None:
                return "duplicate-inconclusive"
            return "" if raw[4:36] == self._state.tip.hash else "inconclusive-not-best-prevblk"

    def _caught_up(self) -> Scratch:
        if self._next is not None:
            if self._scratch:
                self._scratch.close()
            self._scratch, self._next = self._next, None
        if self._scratch is None:
            self._scratch = self._new_scratch()
            self._follow_from_now()
        self._scratch.follow(self._state, self._closing)
        return self._scratch

    def _new_scratch(self) -> Scratch:
        return Scratch(self._folder, self._state.rules.kernel)

    def _follow_from_now(self) -> None:
        if self._following is None:
            following = threading.Thread(target=self._follow, name="node-follow")
            with suppress(RuntimeError):  # no thread is left: later proposals follow themselves
                following.start()
                self._following = following

    def _follow(self) -> None:
        """Keep in step with the chain: a proposal after many blocks is judged at once."""
        while not self._closing.is_set():
            with self._lock:
                self._caught_up()
            with self._state.changed:
                if not self._closing.is_set():
                    self._state.changed.wait(FOLLOW_S)

    def _ground(self, raw: bytes) -> bytes:
        """The proposal with the chain's bits and a nonce that has the work."""
        head = raw[:NBITS_OFFSET] + struct.pack("<I", self._nbits)
        target = target_from_nbits(self._nbits)
        while True:
            header = head + struct.pack("<I", self._nonce)
            self._nonce = (self._nonce + 1) % 2**32
            if int.from_bytes(sha256d(header), "little") <= target:
                return header + raw[HEADER_BYTES:]

    def _connect(self, chain: Chainstate, raw: bytes) -> str:
        """Process the block and, while it stands on a side branch, empty ones on top."""
        outcome = chain.process(raw)
        proposal, parent = outcome.hash, Header.parse(raw[:HEADER_BYTES])
        height = chain.known_height(proposal)
        times = [*_times(self._state.find_row(parent.prev_hash)), parent.time]
        while proposal not in outcome.verdicts:
            if outcome.failure:
                raise KernelFailed(outcome.failure)
            if height is None or height > chain.height:
                raise KernelFailed("the proposal's branch has most work and no verdict")
            height += 1
            time_ = sorted(times[-MEDIAN_SPAN:])[len(times[-MEDIAN_SPAN:]) // 2] + 1
            child = self._child(parent, height, time_)
            outcome = chain.process(child)
            parent = Header.parse(child[:HEADER_BYTES])
            times.append(time_)
        return outcome.verdicts[proposal]

    def _child(self, parent: Header, height: int, seconds: int) -> bytes:
        """An empty valid block."""
        coinbase = build_coinbase(height, [TxOut(0, b"\x51")], 0).fill(b"")
        header = Header(0x20000000, parent.hash, sha256d(coinbase), seconds, self._nbits, 0)
        return self._ground(Block(header, (Transaction.parse(coinbase),)).serialize())

    def _rebuild(self) -> None:
        if self._rebuilding and self._rebuilding.is_alive():
            return
        rebuilding = threading.Thread(target=self._make_next, name="node-scratch")
        with suppress(RuntimeError):  # no thread is left: the next proposal tries again
            rebuilding.start()
            self._rebuilding = rebuilding

    def _make_next(self) -> None:
        fresh = self._new_scratch()
        fresh.follow(self._state, self._closing)
        with self._lock:
            self._next = fresh


def _times(row: Row | None) -> list[int]:
    """Of the last blocks up to `row`, oldest first: what the median of the next ones needs."""
    times: list[int] = []
    while row is not None and len(times) < MEDIAN_SPAN:
        times.insert(0, row.header.time)
        row = row.parent
    return times
