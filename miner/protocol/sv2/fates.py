"""What became of the solutions sent to a template provider: previous hashes alone can tell.

There is no reply to SubmitSolution. A block was accepted when its hash is a previous hash. One that
shows no sign for 60 s is unknown: the journal keeps it, and it is sent again. Another previous hash
at its height, and then one above it, say that the chain went on without it; heights that nobody saw
say nothing. The book outlives a connection: what was open goes out again on the next one.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass

from miner.bitcoin.encoding import display_hex
from miner.protocol.pool import ShareAnswered
from miner.work.found import NO_SIGN, Answer, FoundBlock, Verdict

ANSWER_S = 60.0
MAX_OPEN = 256  # solutions whose fate is watched
TIPS = 64  # newest previous hashes
SILENCE = f"its hash is no previous hash after {ANSWER_S:g} s; sent again"
LEFT_BEHIND = "the chain went on without it"
UNSEEN = "the provider does not stand on its parent: only a node's RPC knows what became of it"


@dataclass(frozen=True, slots=True)
class Tip:
    """A previous hash the provider sent, and its block's height where that is known."""

    hash: bytes
    height: int | None


@dataclass(slots=True)
class Sent:
    """A solution on its way."""

    block: FoundBlock
    at: float  # monotonic
    resend: bool = False  # a connection broke since


class FateBook:
    """Bounded tables of open solutions and of previous hashes."""

    keep_s = ANSWER_S  # as leftovers: so long the next connection may still tell

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: OrderedDict[str, Sent] = OrderedDict()
        self._ours: OrderedDict[str, None] = OrderedDict()  # hashes that were sent from here
        self._tips: deque[Tip] = deque(maxlen=TIPS)

    @property
    def pending(self) -> int:
        """Solutions without a verdict."""
        return len(self._open)

    def add(self, block: FoundBlock, now: float) -> tuple[bool, list[ShareAnswered]]:
        """Shall it be sent now? And what is known of it, or of one that gives way for it."""
        known = self._known(block)
        if known is not None:
            self._open.pop(block.hash_hex, None)
            return False, [self._answer(Sent(block, now), *known)]
        if block.hash_hex not in self._ours and not self._stands_on_parent(block):
            return False, [self._answer(Sent(block, now), Answer.PENDING, "kept", UNSEEN)]
        self._open[block.hash_hex] = Sent(block, now)
        self._ours[block.hash_hex] = None
        if len(self._ours) > MAX_OPEN:
            self._ours.popitem(last=False)
        if len(self._open) <= MAX_OPEN:
            return True, []
        _, oldest = self._open.popitem(last=False)
        why = "too many solutions unanswered"
        return True, [self._answer(oldest, Answer.UNKNOWN, "no-answer", why)]

    def tip(self, prev_hash: bytes, height: int | None, now: float) -> list[ShareAnswered]:
        """A previous hash, with its block's height: the verdicts that follow."""
        if not self._tips or self._tips[-1].hash != prev_hash:
            self._tips.append(Tip(prev_hash, height))
        answers = []
        for name, sent in list(self._open.items()):
            known = self._known(sent.block)
            if known is not None:
                del self._open[name]
                answers.append(self._answer(sent, *known, latency_s=now - sent.at))
        return answers

    def tick(self, now: float) -> list[ShareAnswered]:
        """What shows no sign for too long is unknown."""
        late = [name for name, sent in self._open.items() if now - sent.at >= ANSWER_S]
        return [
            self._answer(self._open.pop(name), Answer.UNKNOWN, NO_SIGN, SILENCE) for name in late
        ]

    def disconnected(self) -> None:
        """Did the open ones still go out? Nobody knows: they are sent again."""
        for sent in self._open.values():
            sent.resend = True

    def take_resends(self, now: float) -> list[FoundBlock]:
        """What goes out again on a new connection; its minute begins anew."""
        again = [sent for sent in self._open.values() if sent.resend]
        for sent in again:
            sent.at, sent.resend = now, False
        return [sent.block for sent in again]

    def give_up(self, why: str) -> list[ShareAnswered]:
        """No connection will tell in time."""
        open_ones, self._open = self._open, OrderedDict()
        return [self._answer(sent, Answer.UNKNOWN, "no-answer", why) for sent in open_ones.values()]

    def _known(self, block: FoundBlock) -> tuple[Answer, str, str] | None:
        """What the previous hashes seen say of it."""
        if any(display_hex(tip.hash) == block.hash_hex for tip in self._tips):
            return Answer.ACCEPTED, "", ""
        heights = [tip.height for tip in self._tips]
        if block.height is None or block.height not in heights:
            return None
        since = heights[heights.index(block.height) :]
        passed = any(height is not None and height > block.height for height in since)
        return (Answer.STALE, "stale", LEFT_BEHIND) if passed else None

    def _stands_on_parent(self, block: FoundBlock) -> bool:
        return any(tip.hash == block.header[4:36] for tip in self._tips)

    def _answer(
        self,
        sent: Sent,
        answer: Answer,
        reason: str = "",
        words: str = "",
        latency_s: float | None = None,
    ) -> ShareAnswered:
        block = sent.block
        return ShareAnswered(
            Verdict(
                self._source, block.hash_hex, answer, True, reason, words, block.height, latency_s
            )
        )
