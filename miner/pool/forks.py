"""The last blocks of the room, on one chain or, in an attack, on two that share a fork."""

from collections import deque
from dataclasses import replace
from fractions import Fraction

from miner.bitcoin.target import exact_difficulty
from miner.pool.values import AttackView, BlockRow, ChainView, TipChanged

MOST_BLOCKS = 64
UNDONE = "undone: the kernel follows the other branch"


class Forks:
    """Rows by their hash, oldest first; who is on which side, and what the kernel follows."""

    def __init__(self, chain: ChainView) -> None:
        self.chain = chain  # with the kernel's own tip
        self.asked = Fraction(chain.difficulty)  # by the chain, exact
        self.attack: AttackView | None = None
        self.sides: dict[str, ChainView] = {}
        self._rows: dict[str, BlockRow] = {}
        self._order: deque[str] = deque()

    @property
    def rows(self) -> tuple[BlockRow, ...]:
        return tuple(self._rows[one] for one in self._order)

    def shown(self) -> tuple[BlockRow, ...]:
        """Of the chain, and of both branches of an attack; not what is yet to be judged."""
        tip = self.chain.tip_hash
        return tuple(one for one in self.rows if one.accepted or one.side or one.hash_hex == tip)

    def row(self, hash_hex: str) -> BlockRow | None:
        return self._rows.get(hash_hex)

    def put(self, row: BlockRow) -> None:
        """A new row, or a new state of one."""
        if row.hash_hex not in self._rows:
            self._order.append(row.hash_hex)
        self._rows[row.hash_hex] = row
        while len(self._order) > MOST_BLOCKS:
            del self._rows[self._order.popleft()]

    @property
    def difficulty(self) -> Fraction:
        """What counts as a block here, exact."""
        target = self.chain.class_target
        return max(self.asked, Fraction(0) if target is None else exact_difficulty(target))

    def aim(self, class_target: int | None) -> None:
        """The class's own target is another one."""
        self.chain = replace(self.chain, class_target=class_target)
        self.chain = replace(self.chain, block_difficulty=float(self.difficulty))

    def part_ways(self) -> None:
        """Two sides begin on the tip of this moment."""
        self.attack = AttackView(self.chain.height)
        self.sides = {"A": self.chain, "B": self.chain}

    def join_ways(self) -> None:
        """One chain again, the kernel's."""
        self.attack, self.sides = None, {}

    def side_tip(self, event: TipChanged) -> None:
        """A side's branch has grown; the kernel may follow the other. While neither has a block of
        its own, both begin above what comes from elsewhere."""
        self.sides[event.side] = moved(self.sides.get(event.side, self.chain), event)
        if self.attack is not None and len({one.tip_hash for one in self.sides.values()}) == 1:
            self.attack = replace(self.attack, fork_height=event.height)

    def kernel_tip(self, event: TipChanged) -> list[BlockRow]:
        """The kernel's chain has another tip: gives the rows that count from now on, and those
        that count no more, each as it is now."""
        first = not self.chain.tip_hash  # it was there before the room: nobody knows since when
        self.chain = moved(self.chain, event)
        self.asked = event.difficulty
        self.chain = replace(
            self.chain,
            difficulty=float(self.asked),
            block_difficulty=float(self.difficulty),
            tip_since_s=None if first else event.at_s,
        )
        row = self.row(event.hash_hex)
        if self.attack is None or row is None or not row.side or row.side == self.attack.active:
            return []
        if any(one.accepted and one.height > row.height for one in self.rows):
            return []  # news of a tip that has been left since
        fork, side = self.attack.fork_height, row.side
        above = [one for one in self.rows if one.height > fork]
        won = [one for one in above if one.side == side and not one.accepted]
        lost = [one for one in above if one.side != side and one.accepted]
        changed = [replace(one, accepted=True, word="") for one in won]
        changed += [replace(one, accepted=False, word=UNDONE) for one in lost]
        for one in changed:
            self.put(one)
        times, undone = self.attack.reorganised + bool(lost), len(lost) or self.attack.undone
        self.attack = replace(self.attack, active=side, reorganised=times, undone=undone)
        return changed


def moved(chain: ChainView, event: TipChanged) -> ChainView:
    """The chain with another tip."""
    return replace(chain, height=event.height, tip_hash=event.hash_hex, tip_since_s=event.at_s)
