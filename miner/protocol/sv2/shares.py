"""The shares of one Stratum v2 channel: sent by number, answered in batches.

A pool answers errors at once and successes in batches: SubmitShares.Success accepts every share up
to its sequence number that had no error. Servers do not flush a batch by time, so a share may stay
unanswered for as long as the channel lives: it is pending, never expired. When the connection ends
its fate is unknown. Source: Stratum v2 specification, 5.3.14; behaviour of SRI pool 0.4.0.
"""

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

from miner.bitcoin.target import difficulty
from miner.protocol.pool import Reason, ShareAnswered, share_verdict
from miner.protocol.stratum.answers import PoolError, classify
from miner.work.found import Answer, FoundBlock, Share
from miner.work.seen import Seen

MAX_OPEN = 4096  # unanswered shares; the oldest beyond becomes unknown, a block last
MAX_SEEN = 4096  # newest hashes, against sending one twice
SEQUENCES = 2**32


@dataclass(frozen=True, slots=True)
class SentShare:
    """A share that has no answer yet."""

    hash_hex: str
    is_block: bool
    height: int | None
    difficulty: float | None  # of the share target; display only
    job_id: str
    sent: float  # monotonic seconds


class SequenceBook:
    """Bounded tables of one channel's shares."""

    def __init__(self, source: str) -> None:
        self._verdict = partial(share_verdict, source)
        self._open: OrderedDict[int, SentShare] = OrderedDict()
        self._seen = Seen(MAX_SEEN)
        self._sent = 0  # shares so far; the newest one's number, which the wire cuts to 32 bits

    @property
    def pending(self) -> int:
        """Shares sent and not answered."""
        return len(self._open)

    def is_new(self, share: Share) -> bool:
        """Remember the header; False when it was submitted before."""
        return self._seen.is_new(share.hash)

    def sent(self, share: SentShare) -> tuple[int, list[ShareAnswered]]:
        """The sequence number to send it with, and the verdict on one given up for its room."""
        self._sent += 1
        self._open[self._sent] = share
        number = self._sent % SEQUENCES
        if len(self._open) <= MAX_OPEN:
            return number, []
        plain = next((key for key, old in self._open.items() if not old.is_block), None)
        oldest = next(iter(self._open)) if plain is None else plain
        return number, [self._give_up(self._open.pop(oldest), "too many shares unanswered")]

    def accepted(self, last: int, now: float) -> list[ShareAnswered]:
        """Every share without an answer up to number `last`, in order.

        The time an answer took is known of the newest alone: the others waited for their batch.
        """
        newest = self._whole(last)
        numbers = [number for number in self._open if number <= newest]
        answers = []
        for number in numbers:
            share = self._open.pop(number)
            latency = now - share.sent if number == numbers[-1] else None
            answers.append(ShareAnswered(self._verdict(share, Answer.ACCEPTED, latency_s=latency)))
        return answers

    def refused(self, number: int, code: str, now: float) -> tuple[SentShare, ShareAnswered] | None:
        """One share had an error; None when no share of this number is open."""
        share = self._open.pop(self._whole(number), None)
        if share is None:
            return None
        answer, reason, words = classify(PoolError(None, code))
        verdict = self._verdict(share, answer, reason.value, words, now - share.sent)
        return share, ShareAnswered(verdict, reason)

    def lost(self, why: str) -> list[ShareAnswered]:
        """The connection is over: what is unanswered will stay so."""
        answers = [self._give_up(share, why) for share in self._open.values()]
        self._open.clear()
        return answers

    def duplicate(self, share: Share) -> ShareAnswered:
        """The verdict on a share we were about to send twice.

        Not as a block: the verdict on the first one is the one that settles the journal.
        """
        words = "found a second time, not sent again: our fault"
        verdict = self._verdict(
            entry_of(share, 0.0, block=False), Answer.REJECTED, Reason.DUPLICATE.value, words
        )
        return ShareAnswered(verdict, Reason.DUPLICATE)

    def _whole(self, number: int) -> int:
        """The newest number sent that looks like this on the wire; below 1 for one never sent."""
        return self._sent - (self._sent - number) % SEQUENCES

    def _give_up(self, share: SentShare, why: str) -> ShareAnswered:
        return ShareAnswered(self._verdict(share, Answer.UNKNOWN, "no-answer", why))


def entry_of_block(block: FoundBlock, job_id: str, now: float) -> SentShare:
    """The same of a packed block."""
    return SentShare(block.hash_hex, True, block.height, None, job_id, now)


def entry_of(share: Share, now: float, block: bool | None = None) -> SentShare:
    """What is remembered of a share."""
    job = share.unit.job
    is_block = share.is_block if block is None else block
    return SentShare(
        share.hash_hex, is_block, job.height, difficulty(job.share_target), job.job_id, now
    )
