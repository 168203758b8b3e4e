"""Block templates (BIP 22, BIP 23, BIP 145) on the tip, in Bitcoin Core's shape."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import (
    build_coinbase,
    commitment_script,
    subsidy,
    with_witness,
    witness_root,
)
from miner.bitcoin.encoding import display_hex
from miner.bitcoin.header import Header
from miner.bitcoin.merkle import merkle_root
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import Transaction, TxOut
from miner.node.chain import KernelFailed
from miner.node.index import TESTDUMMY_BIT, TOP_BITS, Row
from miner.node.judge import ProposalJudge
from miner.node.mempool import BLOCK_SIGOPS, BLOCK_WEIGHT, RESERVED_WEIGHT, Entry
from miner.node.state import NodeState

log = logging.getLogger(__name__)


class TemplateMaker:
    """Makes templates; a new set of transactions is proved by a proposal before it is offered.
    Without a judge templates hold no transactions."""

    def __init__(self, state: NodeState, judge: ProposalJudge | None) -> None:
        self._state, self._judge = state, judge
        self.last_size: dict[str, int] = {}  # of the last template, as getmininginfo shows it
        self._chosen: tuple[str, list[Entry]] = ("", [])  # longpollid it was proved for

    def make(self) -> dict[str, Any]:
        """A template on the tip of this moment."""
        while True:
            with self._state.lock:
                key = self._state.longpollid
                if self._chosen[0] == key:
                    return self._describe(self._state.tip, self._chosen[1])
                chosen = self._state.mempool.select() if self._judge else []
                if not chosen or self._judge is None:
                    self._chosen = (key, [])
                    continue
                trial = self._trial_block(chosen)
            word = _prove(self._judge, trial)  # without the lock: it may take a while
            with self._state.lock:
                if not word:
                    self._chosen = (key, chosen)
                elif key == self._state.longpollid:
                    log.error("mempool dropped: the kernel says %s of a template", word)
                    self._state.mempool.remove(entry.txid for entry in chosen)

    def make_on(self, tip: Row) -> dict[str, Any]:
        """One without transactions on any block: a branch may begin or go on there."""
        with self._state.lock:
            return self._describe(tip, ())

    def _describe(self, tip: Row, chosen: Sequence[Entry]) -> dict[str, Any]:
        state = self._state
        signalling, rules = self._deployments(tip)
        least = state.index.next_min_time(tip)
        curtime = max(least, int(time.time()))
        nbits = state.rules.difficulty.next_nbits(tip, curtime)
        height = tip.height + 1
        root = witness_root([entry.wtxid for entry in chosen])
        weight = RESERVED_WEIGHT + sum(entry.weight for entry in chosen)
        self.last_size = {"currentblockweight": weight, "currentblocktx": len(chosen)}
        return {
            "capabilities": ["proposal"] if self._judge else [],
            "version": TOP_BITS | (1 << TESTDUMMY_BIT if signalling else 0),
            "rules": rules,
            "vbavailable": {"testdummy": TESTDUMMY_BIT} if signalling else {},
            "vbrequired": 0,
            "previousblockhash": display_hex(tip.hash),
            "transactions": _transactions(chosen),
            "coinbaseaux": {},
            "coinbasevalue": self._value(height, chosen),
            "longpollid": f"{display_hex(tip.hash)}{state.mempool.updates}",
            "target": f"{target_from_nbits(nbits):064x}",
            "mintime": least,
            "mutable": ["time", "transactions", "prevblock"],
            "noncerange": "00000000ffffffff",
            "sigoplimit": BLOCK_SIGOPS,
            "sizelimit": BLOCK_WEIGHT,
            "weightlimit": BLOCK_WEIGHT,
            "curtime": curtime,
            "bits": f"{nbits:08x}",
            "height": height,
            "default_witness_commitment": commitment_script(root).hex(),
        }

    def _deployments(self, tip: Row) -> tuple[bool, list[str]]:
        """Does a block on `tip` signal testdummy, and which rules govern it?"""
        rules = ["csv", "!segwit", "taproot"]
        if not self._state.rules.testdummy:
            return False, rules
        testdummy = self._state.index.testdummy_state(tip)
        if testdummy == "active":
            rules.append("testdummy")
        return testdummy in ("started", "locked_in"), rules

    def _value(self, height: int, chosen: Sequence[Entry]) -> int:
        return subsidy(height, self._state.rules.halving) + sum(entry.fee for entry in chosen)

    def _trial_block(self, chosen: Sequence[Entry]) -> bytes:
        """What a miner would make of the template, for the proposal."""
        state, height = self._state, self._state.tip.height + 1
        commitment = commitment_script(witness_root([entry.wtxid for entry in chosen]))
        outputs = [TxOut(self._value(height, chosen), b"\x51"), TxOut(0, commitment)]
        bare = build_coinbase(height, outputs, 0).fill(b"")
        coinbase = Transaction.parse(with_witness(bare))
        root = merkle_root([coinbase.txid, *(entry.txid for entry in chosen)])
        seconds = max(state.index.next_min_time(), int(time.time()))
        nbits = state.rules.difficulty.next_nbits(state.tip, seconds)
        header = Header(TOP_BITS, state.tip.hash, root, seconds, nbits, 0)
        return Block(header, (coinbase, *(entry.tx for entry in chosen))).serialize()


def _prove(judge: ProposalJudge, trial: bytes) -> str:
    try:
        return judge.judge(trial)
    except KernelFailed as failed:
        return str(failed)


def _transactions(chosen: Sequence[Entry]) -> list[dict[str, Any]]:
    position = {entry.txid: place for place, entry in enumerate(chosen, start=1)}
    return [
        {
            "data": entry.raw.hex(),
            "txid": display_hex(entry.txid),
            "hash": display_hex(entry.wtxid),
            "depends": _depends(entry, position),
            "fee": entry.fee,
            "sigops": entry.sigops,
            "weight": entry.weight,
        }
        for entry in chosen
    ]


def _depends(entry: Entry, position: dict[bytes, int]) -> list[int]:
    """1-based places of the transactions whose outputs this one spends."""
    parents = {txin.prev_txid for txin in entry.tx.inputs}
    return sorted(position[parent] for parent in parents if parent in position)
