"""Attack mode on the chain: two sides with a branch each, and the kernel between them.

While it lasts each side gets templates on the tip of its own branch, marked with the side as their
work id. A block goes to the journal first, as all do, and then to the kernel, which follows the
branch with more work: a block of the other one waits for its verdict until its branch has more, or
until the attack ends.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from miner.errors import MinerError
from miner.node.local import LocalChain, Moved
from miner.node.split import Split
from miner.pool.blocks import Blocks
from miner.pool.room import Room
from miner.pool.values import Mode, ModeChanged, RoomEvent
from miner.protocol.gbt.job import template_of
from miner.protocol.gbt.template import parse_template
from miner.work.found import Answer, FoundBlock, Share, Verdict

SIDES = ("A", "B")
REFRESH_S = 30.0  # templates carry the time
LOST = "its branch had less work when the attack ended"
ANSWERS = {"": Answer.ACCEPTED, "duplicate": Answer.ACCEPTED, "stale-prevblk": Answer.STALE}
Later = Callable[..., None]


class Waiting(NamedTuple):
    """A block that the kernel keeps without a verdict."""

    hash_hex: str
    height: int | None


class Attacks:
    """Splits the chain when the room's mode becomes attack. Everything but the constructor runs in
    the listeners' loop."""

    def __init__(
        self,
        chain: LocalChain,
        room: Room,
        blocks: Blocks,
        tell: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """`tell` has a line for the teacher's screen."""
        self._chain, self._room, self._blocks = chain, room, blocks
        self._tell, self._clock = tell, clock
        self._split: Split | None = None  # the newest: its late blocks are judged, too
        self._on = False
        self._refreshed_s = 0.0
        self._given: dict[str, bytes] = {}  # the tip of each side's newest template
        self._waiting: dict[bytes, Waiting] = {}  # by hash, internal order

    def start(self, later: Later) -> Callable[[], None]:
        """`later` runs a call in the loop, from any thread. The answer ends it, and an attack."""

        def heard(event: RoomEvent) -> None:
            if isinstance(event, ModeChanged):
                later(self._mode, event.mode)

        self._room.subscribe(heard)
        unsubscribe = self._chain.subscribe(lambda moved: later(self._moved, moved))

        def end() -> None:
            unsubscribe()
            self._end()

        return end

    def takes(self, share: Share) -> bool:
        """Is it a block of a side? Then it is on its way."""
        side, split = template_of(share.unit.job).workid, self._split
        if split is None or side not in SIDES:
            return False
        self._blocks.send_to(share, partial(self._submit, split, side))
        return True

    def tick(self) -> None:
        """Called once a second."""
        if abs(self._clock() - self._refreshed_s) >= REFRESH_S:
            self._given.clear()
            self._refresh()

    def _mode(self, mode: Mode) -> None:
        if mode is Mode.ATTACK and not self._on:
            self._split, self._on = self._chain.split(SIDES), True
            height = self._chain.tip.height
            self._tell(f"attack: both sides begin on block {height}; more work wins")
            self._given.clear()
            self._refresh()
        elif mode is not Mode.ATTACK:
            self._end()

    def _end(self) -> None:
        """Who won, and what the branch that lost still waited for."""
        if not self._on or self._split is None:
            return
        self._on = False
        for waiting in self._waiting.values():
            self._say(waiting, Answer.STALE, LOST)
        self._waiting.clear()
        self._tell(f"attack over: {self._split.why()}")

    def _refresh(self) -> None:
        """New templates for the sides whose tip is another one than that of their newest."""
        split, now = self._split, self._clock()
        if not self._on or split is None:
            return
        for side in SIDES:
            template = parse_template(split.template(side), self._chain.rules.name)
            if self._given.get(side) != template.prev_hash:
                self._given[side], self._refreshed_s = template.prev_hash, now
                self._room.template(template, now, side)

    def _submit(self, split: Split, side: str, block: FoundBlock) -> None:
        """The kernel's word on a block, which is on disk."""
        told = Waiting(block.hash_hex, block.height)
        try:
            word = split.submit(side, bytes.fromhex(block.payload))
        except MinerError as error:
            self._say(told, Answer.UNKNOWN, str(error))
            return
        if word != "inconclusive":
            self._say(told, ANSWERS.get(word, Answer.REJECTED), word)
        elif self._on and split is self._split:
            self._waiting[bytes.fromhex(block.hash_hex)[::-1]] = told
            self._say(told, Answer.PENDING, word)
        else:
            self._say(told, Answer.STALE, LOST)
        self._refresh()

    def _moved(self, moved: Moved) -> None:
        """The kernel gave verdicts, and may follow the other branch now."""
        for block_hash, word in moved.verdicts.items():
            if (waiting := self._waiting.pop(block_hash, None)) is not None:
                self._say(waiting, Answer.REJECTED if word else Answer.ACCEPTED, word)
        if moved.reorganised and self._split is not None:
            left, joined = len(moved.left), len(moved.joined)
            self._tell(f"the kernel left {left} blocks for {joined} others: {self._split.why()}")
        self._refresh()

    def _say(self, block: Waiting, answer: Answer, reason: str) -> None:
        name = self._chain.rules.name
        self._blocks.verdict(
            Verdict(name, block.hash_hex, answer, True, reason, height=block.height)
        )
