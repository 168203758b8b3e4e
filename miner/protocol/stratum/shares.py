"""The shares of one Stratum session: what was sent, what is unanswered, what came back."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from miner.bitcoin.target import difficulty
from miner.protocol.jsonline import Message
from miner.protocol.peer_watch import PeerWatch
from miner.protocol.pool import Reason, ShareAnswered, share_verdict
from miner.protocol.stratum.answers import classify, share_error
from miner.protocol.stratum.messages import Subscription
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.seen import Seen

MAX_OPEN = 4096  # unanswered submits; the oldest share beyond becomes unknown
MAX_JOBS = 16  # whose submitted shares are remembered
MAX_SUBMITTED = 4096  # of each
RESUME_S = 120.0  # a share older than this is not sent again, even into the same session


@dataclass(frozen=True, slots=True)
class OpenShare:
    """A share sent and not answered."""

    params: tuple[str, ...]  # of mining.submit
    hash_hex: str
    is_block: bool
    height: int | None
    difficulty: float | None  # of the share target; display only
    job_id: str
    sent: float  # monotonic seconds, of the first sending
    deadline: float
    again: bool = False  # sent before, without an answer: "duplicate" then means it had arrived


class ShareBook:
    """Bounded tables of submitted and unanswered shares; survives into a resumed session."""

    def __init__(self, source: str, answer_s: float) -> None:
        self._source, self._answer_s = source, answer_s
        self._open: OrderedDict[int, OpenShare] = OrderedDict()
        self._submitted: OrderedDict[str, Seen] = OrderedDict()

    def is_new(self, share: Share) -> bool:
        """Remember the header; False when it was submitted before."""
        seen = self._submitted.setdefault(share.unit.job.job_id, Seen(MAX_SUBMITTED))
        self._submitted.move_to_end(share.unit.job.job_id)
        if len(self._submitted) > MAX_JOBS:
            self._submitted.popitem(last=False)
        return seen.is_new(share.hash)

    def sent(self, request_id: int, share: OpenShare) -> list[ShareAnswered]:
        """Enter a share that was sent; the answers are of shares given up for want of room."""
        self._open[request_id] = share
        if len(self._open) <= MAX_OPEN:
            return []
        oldest = next((key for key, old in self._open.items() if not old.is_block), None)
        key = next(iter(self._open)) if oldest is None else oldest
        return [self.give_up(self._open.pop(key), "too many shares unanswered")]

    def answered(
        self, request_id: int, message: Message, now: float
    ) -> tuple[OpenShare, ShareAnswered] | None:
        """The verdict in a reply; None when no share waits under this id."""
        share = self._open.pop(request_id, None)
        if share is None:
            return None
        error = share_error(message)
        if error is None:
            return share, ShareAnswered(self._verdict(share, Answer.ACCEPTED, now=now))
        answer, reason, words = classify(error)
        if share.again and reason is Reason.DUPLICATE:
            words = "it had arrived before the connection broke"
            return share, ShareAnswered(
                self._verdict(share, Answer.ACCEPTED, reason.value, words, now)
            )
        return share, ShareAnswered(self._verdict(share, answer, reason.value, words, now), reason)

    def expired(self, now: float) -> list[ShareAnswered]:
        """Shares without an answer for too long: unknown."""
        late = [key for key, share in self._open.items() if share.deadline <= now]
        why = f"no answer within {self._answer_s:g} s"
        return [self.give_up(self._open.pop(key), why) for key in late]

    def take_open(self, now: float) -> list[OpenShare]:
        """For a resumed session: the unanswered shares young enough to be sent again."""
        keys = [key for key, share in self._open.items() if now - share.sent <= RESUME_S]
        young = [self._open.pop(key) for key in keys]
        return [replace(share, deadline=now + self._answer_s, again=True) for share in young]

    def lost(self, why: str) -> list[ShareAnswered]:
        """Give up everything unanswered and forget what was submitted."""
        answers = [self.give_up(share, why) for share in self._open.values()]
        self._open.clear()
        self._submitted.clear()
        return answers

    @property
    def open_count(self) -> int:
        return len(self._open)

    def open_share(self, share: Share, params: list[str], now: float) -> OpenShare:
        """The entry for a share about to be sent."""
        job = share.unit.job
        shown = difficulty(job.share_target)
        deadline = now + self._answer_s
        block, height = share.is_block, job.height
        return OpenShare(
            tuple(params), share.hash_hex, block, height, shown, job.job_id, now, deadline
        )

    def open_block(self, block: FoundBlock, params: list[str], now: float) -> OpenShare:
        """The entry for a block that is sent again."""
        deadline = now + self._answer_s
        return OpenShare(
            tuple(params), block.hash_hex, True, block.height, None, params[1], now, deadline, True
        )

    def duplicate(self, share: Share) -> ShareAnswered:
        """The verdict on a share we were about to send twice."""
        # Not as a block: the first one's verdict is the one that settles the journal.
        entry = replace(self.open_share(share, [], 0.0), is_block=False)
        words = "found a second time, not sent again: our fault"
        verdict = self._verdict(entry, Answer.REJECTED, Reason.DUPLICATE.value, words)
        return ShareAnswered(verdict, Reason.DUPLICATE)

    def give_up(self, share: OpenShare, why: str) -> ShareAnswered:
        """The verdict on a share whose fate stays unknown."""
        return ShareAnswered(self._verdict(share, Answer.UNKNOWN, "no-answer", why))

    def _verdict(
        self,
        share: OpenShare,
        answer: Answer,
        reason: str = "",
        words: str = "",
        now: float | None = None,
    ) -> Verdict:
        latency_s = None if now is None else now - share.sent
        return share_verdict(self._source, share, answer, reason, words, latency_s)


@dataclass(slots=True)
class Leftovers:
    """What the next session may take over from the one that ended."""

    number: int = 0
    subscription: Subscription | None = None  # None: nothing can be resumed
    book: ShareBook | None = None
    next_id: int = 1  # never repeated, resumed or not
    configure: bool = True  # False after a pool hung up on mining.configure
    watch: PeerWatch = field(default_factory=PeerWatch)
    keep_s: float = RESUME_S

    def give_up(self, why: str) -> list[ShareAnswered]:
        """Nothing will be resumed: the verdicts on the shares left open."""
        book, self.book, self.subscription = self.book, None, None
        return book.lost(why) if book is not None else []

    def fits(self, new: Subscription) -> bool:
        """Did the pool resume the session we asked for? Then it gives the same extranonce1 back."""
        old = self.subscription
        if old is None or old.session_id == "" or old.extranonce1 == b"":
            return False
        return (old.extranonce1, old.extranonce2_size) == (new.extranonce1, new.extranonce2_size)
