"""Two branches from one block, each with miners of its own: who wins, and why.

The kernel keeps the blocks of both and follows the branch with more work; of two with equal work it
stays on the one it knew first. A branch that is behind has not been judged yet ("inconclusive");
once it has more work the kernel judges its blocks, leaves the other branch and goes over.
"""

from dataclasses import dataclass
from typing import Any

from miner.bitcoin.header import HEADER_BYTES, Header
from miner.node.index import Row
from miner.node.state import NodeState
from miner.node.template import TemplateMaker

KEPT = ("", "inconclusive")


@dataclass(frozen=True, slots=True)
class Branch:
    """One side's chain above the block that both share."""

    side: str
    tip: bytes  # hash of its newest block, internal order
    height: int
    blocks: int  # above the fork
    work: int  # expected hashes of these blocks
    active: bool  # does the kernel follow it?


class Split:
    """Begins at the tip of this moment. Ends by being forgotten: the kernel's tip is the winner."""

    def __init__(self, state: NodeState, templates: TemplateMaker, sides: tuple[str, str]) -> None:
        self._state, self._templates = state, templates
        self._fork = state.tip
        self._tips = dict.fromkeys(sides, self._fork)

    @property
    def fork(self) -> bytes:
        """Hash of the last block both sides share, internal order."""
        return self._fork.hash

    def template(self, side: str) -> dict[str, Any]:
        """getblocktemplate's answer on this side's own tip; the side is its work id."""
        with self._state.lock:
            return self._templates.make_on(self._tip(side)) | {"workid": side}

    def submit(self, side: str, raw: bytes) -> str:
        """Judge a block of this side: "" the kernel follows it, "inconclusive" its branch has no
        more work than the other, else the word of BIP 22; "stale-prevblk" when it does not stand on
        this side's tip, "bad-prevblk" when a block below it proves invalid now. Raises as
        LocalChain.submit."""
        with self._state.lock:
            if Header.parse(raw[:HEADER_BYTES]).prev_hash != self._tip(side).hash:
                return "stale-prevblk"
            word = self._state.submit(raw)
            row = self._state.find_row(Header.parse(raw[:HEADER_BYTES]).hash)
            if word not in KEPT or row is None:
                return word
            self._tips[side] = row
            return word if self._tip(side) is row else "bad-prevblk"

    def _tip(self, side: str) -> Row:
        """Its newest block with none below it that is known to be invalid. A branch that has begun
        goes on with blocks that others put on it; before that, both sides begin above them."""
        index = self._state.index
        if all(row is self._fork for row in self._tips.values()) and index.is_active(self._fork):
            self._fork = index.tip
            self._tips = dict.fromkeys(self._tips, self._fork)
        row = self._tips[side]
        if row is not self._fork and index.is_active(row):
            row = index.tip
        good = row
        while row is not self._fork and row.parent is not None:
            good = row.parent if row.hash in self._state.failed else good
            row = row.parent
        self._tips[side] = good
        return good

    def branches(self) -> tuple[Branch, ...]:
        """Both, in the order of the sides."""
        with self._state.lock:
            return tuple(self._branch(side) for side in self._tips)

    def _branch(self, side: str) -> Branch:
        row = self._tip(side)
        blocks = row.height - self._fork.height
        work = row.chainwork - self._fork.chainwork
        active = blocks > 0 and self._state.index.is_active(row)
        return Branch(side, row.hash, row.height, blocks, work, active)

    def why(self) -> str:
        """Who leads, in words."""
        first, second = sorted(self.branches(), key=lambda branch: not branch.active)
        if not first.active:
            return "no block yet on either side: both stand on the same one"
        blocks = f"{first.blocks} block{'s' if first.blocks > 1 else ''}"
        if first.work == second.work:
            return (
                f"both sides have {blocks} and the same work: the kernel stays with side "
                f"{first.side}, whose last block it knew first"
            )
        return (
            f"side {first.side} wins: the kernel follows the chain with more work, "
            f"{blocks} against {second.blocks} of side {second.side}"
        )
